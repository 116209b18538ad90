%% Runs on every node: loads code, and says when. Loaded there before anything is timed.
-module(agent).
-export([load/2, version/1]).

%% code:load_binary purges what is left of the version before the last.
%% Times are of the machine's clock, in microseconds.
load(Module, Binary) ->
    Arrived = os:system_time(microsecond),
    {module, Module} = code:load_binary(Module, atom_to_list(Module) ++ ".beam", Binary),
    Switched = os:system_time(microsecond),
    {Module:version(), Arrived, Switched}.

%% The version that runs here; undefined when the module is not loaded.
version(Module) ->
    case erlang:module_loaded(Module) of
        true -> Module:version();
        false -> undefined
    end.
