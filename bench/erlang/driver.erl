%% The BEAM that pushes. It answers each order on standard input with a line of JSON:
%%   connect ADDRESS…    connects to the nodes at these addresses and loads the agent there
%%   multicall BYTES     pushes a new version by erpc:multicall and waits for every answer
%%   nl BYTES            pushes a new version by nl/1, then asks until every node runs it
%%   bare BYTES          has every node answer to this many bytes, which it does not load
%% Times in answers are microseconds.
-module(driver).
-export([start/0]).

-define(TIMEOUT, 30000).

start() ->
    ok = io:setopts(standard_io, [binary]),
    spawn(fun() -> serve(#{version => 0}) end).

serve(State) ->
    [Order | Words] = string:lexemes(string:trim(io:get_line("")), " "),
    {Answer, Next} =
        try
            handle(Order, Words, State)
        catch
            _:Reason:Stack ->
                Text = io_lib:format("~0tP", [{Reason, Stack}, 40]),
                {#{error => unicode:characters_to_binary(Text)}, State}
        end,
    io:put_chars([json:encode(Answer), $\n]),
    serve(Next).

handle(<<"connect">>, Addresses, State) ->
    Nodes = [binary_to_atom(<<"node@", Address/binary>>) || Address <- Addresses],
    connect(Nodes, now_in_us() + ?TIMEOUT * 1000),
    {agent, Agent, File} = code:get_object_code(agent),
    every(erpc:multicall(Nodes, code, load_binary, [agent, File, Agent], ?TIMEOUT), {module, agent}),
    {#{nodes => length(Nodes), release => list_to_binary(erlang:system_info(otp_release))}, State#{nodes => Nodes}};
handle(<<"bare">>, [Bytes], #{nodes := Nodes} = State) ->
    Payload = rand:bytes(binary_to_integer(Bytes)),
    Start = now_in_us(),
    Answers = erpc:multicall(Nodes, erlang, byte_size, [Payload], ?TIMEOUT),
    Took = now_in_us() - Start,
    every(Answers, byte_size(Payload)),
    {#{took => Took}, State};
handle(<<"multicall">>, [Bytes], State) ->
    {Module, Version, Binary, #{nodes := Nodes} = Next} = subject(Bytes, State),
    Ordered = os:system_time(microsecond),
    Start = now_in_us(),
    Answers = erpc:multicall(Nodes, agent, load, [Module, Binary], ?TIMEOUT),
    Took = now_in_us() - Start,
    Loads = [Load || {ok, {Runs, _, _} = Load} <- Answers, Runs =:= Version],
    length(Loads) =:= length(Nodes) orelse error(Answers),
    Arrived = [At - Ordered || {_, At, _} <- Loads],
    {#{took => Took, arrived => Arrived, switched => [At - Ordered || {_, _, At} <- Loads]}, Next};
handle(<<"nl">>, [Bytes], State) ->
    {Module, Version, Binary, #{nodes := Nodes} = Next} = subject(Bytes, State),
    %% nl/1 takes the code from the code path, as if `c(Module)` had just written it.
    ok = file:write_file(atom_to_list(Module) ++ ".beam", Binary),
    Start = now_in_us(),
    abcast = c:nl(Module),
    Sent = now_in_us() - Start,
    poll(Nodes, Module, Version, Start + ?TIMEOUT * 1000),
    {#{took => now_in_us() - Start, sent => Sent}, Next}.

connect(Nodes, Deadline) ->
    case [Node || Node <- Nodes, not net_kernel:connect_node(Node)] of
        [] ->
            ok;
        Missing ->
            now_in_us() < Deadline orelse error({not_connected, Missing}),
            timer:sleep(50),
            connect(Missing, Deadline)
    end.

%% Asks the nodes that are not ready until none is left. A pause between rounds gains nothing: each round waits for the
%% answer of the busiest node.
poll([], _, _, _) ->
    ok;
poll(Nodes, Module, Version, Deadline) ->
    now_in_us() < Deadline orelse error({not_loaded, Nodes}),
    Answers = erpc:multicall(Nodes, agent, version, [Module], ?TIMEOUT),
    poll([Node || {Node, Answer} <- lists:zip(Nodes, Answers), Answer =/= {ok, Version}], Module, Version, Deadline).

%% A module of this many bytes, made once, in a version that was never pushed.
subject(Bytes, #{version := Last} = State) ->
    Made = maps:get(Bytes, State, none),
    {Module, Binary} = Known = if Made =:= none -> subject:compile(binary_to_integer(Bytes)); true -> Made end,
    {Version, Versioned} = subject:version(Binary, Last + 1),
    {Module, Version, Versioned, State#{version := Last + 1, Bytes => Known}}.

every(Answers, Wanted) ->
    [] = [Answer || Answer <- Answers, Answer =/= {ok, Wanted}].

now_in_us() -> erlang:monotonic_time(microsecond).
