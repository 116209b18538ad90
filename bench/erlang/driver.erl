%% The BEAM that pushes. It takes orders on standard input and answers each with a line of JSON:
%%   connect ADDRESS…    is connected to the nodes at these addresses, and has loaded the agent there
%%   multicall BYTES     pushes a new version by erpc:multicall and waits for every answer
%%   nl BYTES            pushes a new version by nl/1, then asks until every node runs it
%%   bare BYTES          has every node answer to so many bytes, which it does not load
%% Times in answers are microseconds.
-module(driver).
-export([start/0]).

-define(PATIENCE, 30000).

start() ->
    ok = io:setopts(standard_io, [binary]),
    spawn(fun() -> serve(#{version => 0}) end).

serve(State) ->
    case io:get_line("") of
        eof ->
            halt(0);
        Line ->
            [Order | Words] = string:lexemes(string:trim(Line), " "),
            {Answer, Next} =
                try
                    obey(Order, Words, State)
                catch
                    _:Reason:Stack -> {#{error => text({Reason, Stack})}, State}
                end,
            io:put_chars([json:encode(Answer), $\n]),
            serve(Next)
    end.

text(Term) -> unicode:characters_to_binary(io_lib:format("~0tP", [Term, 40])).

obey(<<"connect">>, Addresses, State) ->
    Nodes = [binary_to_atom(<<"node@", Address/binary>>) || Address <- Addresses],
    connect(Nodes, erlang:monotonic_time(millisecond) + ?PATIENCE),
    {agent, Agent, File} = code:get_object_code(agent),
    every(erpc:multicall(Nodes, code, load_binary, [agent, File, Agent], ?PATIENCE), {module, agent}),
    {#{nodes => length(Nodes), release => list_to_binary(erlang:system_info(otp_release))}, State#{nodes => Nodes}};
obey(<<"bare">>, [Bytes], #{nodes := Nodes} = State) ->
    Payload = rand:bytes(binary_to_integer(Bytes)),
    Start = now_in_us(),
    Answers = erpc:multicall(Nodes, erlang, byte_size, [Payload], ?PATIENCE),
    Took = now_in_us() - Start,
    every(Answers, byte_size(Payload)),
    {#{took => Took}, State};
obey(<<"multicall">>, [Bytes], State) ->
    {Module, Version, Binary, #{nodes := Nodes} = Next} = subject(Bytes, State),
    Ordered = os:system_time(microsecond),
    Start = now_in_us(),
    Answers = erpc:multicall(Nodes, agent, load, [Module, Binary], ?PATIENCE),
    Took = now_in_us() - Start,
    Loads = [Load || {ok, Load} <- Answers],
    every([{ok, Runs} || {Runs, _, _} <- Loads] ++ [Answer || Answer <- Answers, element(1, Answer) =/= ok], Version),
    {#{
        took => Took,
        arrived => [Arrived - Ordered || {_, Arrived, _} <- Loads],
        switched => [Switched - Ordered || {_, _, Switched} <- Loads]
    }, Next};
obey(<<"nl">>, [Bytes], State) ->
    {Module, Version, Binary, #{nodes := Nodes} = Next} = subject(Bytes, State),
    %% nl/1 takes the code from the code path, as if `c(Module)` had just written it.
    ok = file:write_file(atom_to_list(Module) ++ ".beam", Binary),
    Start = now_in_us(),
    abcast = c:nl(Module),
    Sent = now_in_us() - Start,
    Rounds = poll(Nodes, Module, Version, Start + ?PATIENCE * 1000, 1),
    {#{took => now_in_us() - Start, sent => Sent, rounds => Rounds}, Next}.

connect([], _) ->
    ok;
connect(Nodes, Deadline) ->
    Missing = [Node || Node <- Nodes, not net_kernel:connect_node(Node)],
    erlang:monotonic_time(millisecond) < Deadline orelse error({not_connected, Missing}),
    Missing =:= [] orelse timer:sleep(50),
    connect(Missing, Deadline).

%% Asks who was not ready until nobody is left; the number of rounds that this took. A pause between rounds gains nothing:
%% each waits for the busiest node's answer.
poll(Nodes, Module, Version, Deadline, Round) ->
    Answers = erpc:multicall(Nodes, agent, version, [Module], ?PATIENCE),
    case [Node || {Node, Answer} <- lists:zip(Nodes, Answers), Answer =/= {ok, Version}] of
        [] ->
            Round;
        Late ->
            now_in_us() < Deadline orelse error({not_loaded, Late}),
            poll(Late, Module, Version, Deadline, Round + 1)
    end.

%% A module of so many bytes, made once, in a version that was never pushed.
subject(Bytes, #{version := Last} = State) ->
    {Module, Binary} =
        case State of
            #{Bytes := Known} -> Known;
            #{} -> subject:compile(binary_to_integer(Bytes))
        end,
    {Version, Versioned} = subject:version(Binary, Last + 1),
    {Module, Version, Versioned, State#{version := Last + 1, Bytes => {Module, Binary}}}.

every(Answers, Wanted) ->
    [] = [Answer || Answer <- Answers, Answer =/= {ok, Wanted}],
    ok.

now_in_us() -> erlang:monotonic_time(microsecond).
