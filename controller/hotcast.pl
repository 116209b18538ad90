#!/usr/bin/perl
# `hotcast …` in the controller's container: has the controller run a command line, as controller/src/cli/relay/serve.ts says, and passes
# on what that reads and prints. Node.js takes ten times as long to start as Perl, which every Debian has.
use strict;
use warnings;
use Socket qw(AF_UNIX SOCK_STREAM SHUT_WR sockaddr_un);

my ($no_result, $interrupted) = (2, 130);

# A controller that was just started listens within this time (seconds).
my $connect_timeout = 3;
my $retry_interval = 0.05;

# These have a life, or an input and an output, of their own.
my ($command) = (@ARGV, '');
exec 'node', '/work/controller.mjs', @ARGV if grep { $_ eq $command } qw(serve shell backup restore);

sub fail {
    my ($status, $message) = @_;
    print STDERR "hotcast: $message\n";
    exit $status;
}

sub json {
    my ($text) = @_;
    $text =~ s/([\x00-\x1f"\\])/sprintf '\\u%04x', ord $1/ge;
    return qq("$text");
}

sub write_all {
    my ($to, $bytes) = @_;
    for (my $at = 0; $at < length $bytes;) {
        my $written = syswrite $to, $bytes, length($bytes) - $at, $at;
        if (defined $written) { $at += $written }
        elsif (!$!{EINTR}) { return 0 }
    }
    return 1;
}

my $path = ($ENV{CONTROLLER_SOCKET} || '/run/hotcast/controller.sock') . '.cli';
socket my $controller, AF_UNIX, SOCK_STREAM, 0 or fail $no_result, "no socket: $!";
my $leave = sub { fail $interrupted, 'interrupted: nothing was sent' };
$SIG{$_} = sub { $leave->() } for qw(INT TERM HUP);
# Whoever reads the output has gone, or the controller, which the end of its side says.
$SIG{PIPE} = 'IGNORE';
my $deadline = time + $connect_timeout;
until (connect $controller, sockaddr_un $path) {
    fail $no_result, 'no controller listens in this container; nothing was sent (see: docker compose logs)' if time > $deadline;
    select undef, undef, undef, $retry_interval;
}

# The end of what is sent interrupts the command. The rest of its output still arrives; a second signal does not wait for it.
my ($is_sent, $is_left) = (0, 0);
$leave = sub {
    $SIG{$_} = 'DEFAULT' for qw(INT TERM HUP);
    $is_left = 1;
    shutdown $controller, SHUT_WR if $is_sent;
};

my @names = grep { /^(?:HOTCAST_\w+|TERM|NO_COLOR|TRACEPARENT)$/ } keys %ENV;
my $env = join ',', map { json($_) . ':' . json($ENV{$_}) } @names;
my $args = join ',', map { json($_) } @ARGV;
my $is_terminal = -t STDOUT ? 'true' : 'false';
write_all $controller, qq({"args":[$args],"env":{$env},"isTerminal":$is_terminal}\n);
$is_sent = 1;
shutdown $controller, SHUT_WR if $is_left;

# Without a client, the end of the input says nothing.
my $has_input = $ENV{HOTCAST_CLIENT};
my $received = '';
while (1) {
    vec(my $waiting = '', fileno $controller, 1) = 1;
    vec($waiting, fileno STDIN, 1) = 1 if $has_input;
    next if select(my $ready = $waiting, undef, undef, undef) < 0;
    if ($has_input && vec $ready, fileno STDIN, 1) {
        if (sysread STDIN, my $typed, 65_536) { write_all $controller, $typed }
        else { $has_input = 0; shutdown $controller, SHUT_WR }
    }
    next unless vec $ready, fileno $controller, 1;
    # Without a status, the controller has ended: this process is killed, as with its container.
    sysread($controller, $received, 65_536, length $received) or kill KILL => $$;
    # Each part is `1 LENGTH` or `2 LENGTH`, as the streams are numbered, and its bytes. `0 STATUS` is the end.
    while ($received =~ /^(\d) (\d+)\n/) {
        my ($stream, $number, $start) = ($1, $2, $+[0]);
        exit $number if $stream == 0;
        last if length $received < $start + $number;
        write_all($stream == 1 ? *STDOUT : *STDERR, substr $received, $start, $number) or exit $no_result;
        substr $received, 0, $start + $number, '';
    }
}
