%% Modules of any size to push, compiled as for a release: deterministic, without debug information.
-module(subject).
-export([compile/1, version/2]).

%% A number that the compiler writes as these four bytes, which are nowhere else in a module.
-define(MARK, 16#5EED0000).

%% A module with this many bytes in its .beam file: small functions, each with its own constants. version/0 tells its
%% version; text/0 fills the rest.
compile(Bytes) ->
    Module = list_to_atom("subject_" ++ integer_to_list(Bytes)),
    [Least, Most] = [byte_size(beam(Module, Functions, 0)) || Functions <- [1, 51]],
    Functions = max(1, trunc(0.98 * (Bytes - Least) / ((Most - Least) / 50))),
    Missing = Bytes - 12 - byte_size(beam(Module, Functions, 0)),
    {Module, beam(Module, Functions, max(0, Missing))}.

%% Another version of it, below 65536: the compiler's output for that number, without the wait for the compiler.
version(Binary, Version) ->
    [{At, 4}] = binary:matches(Binary, <<?MARK:32>>),
    <<Before:At/binary, _:32, After/binary>> = Binary,
    {?MARK + Version, <<Before/binary, (?MARK + Version):32, After/binary>>}.

beam(Module, Functions, Filling) ->
    rand:seed(exsss, 42),
    Source = [
        io_lib:format("-module(~s).~n-export([version/0, text/0, run/1]).~n", [Module]),
        io_lib:format("version() -> ~b.~ntext() -> ~w.~n", [?MARK, rand:bytes(Filling)]),
        "run(Input) -> step0(Input).\n",
        [step(Index) || Index <- lists:seq(0, Functions - 1)],
        io_lib:format("step~b(Input) -> Input.~n", [Functions])
    ],
    {ok, Module, Binary} = compile:forms(forms(lists:flatten(Source), 1), [binary, deterministic]),
    Binary.

step(Index) ->
    io_lib:format(
        "step~b(Input) when Input > ~b -> {Input * ~b, ~b, ~w};~nstep~b(Input) -> step~b(Input + ~b).~n",
        [Index, number(), number(), number(), rand:bytes(12), Index, Index + 1, number()]
    ).

number() -> 30000 + rand:uniform(30000).

forms(Source, Line) ->
    case erl_scan:tokens([], Source, Line) of
        {done, {ok, Tokens, Next}, Rest} -> [element(2, erl_parse:parse_form(Tokens)) | forms(Rest, Next)];
        _ -> []
    end.
