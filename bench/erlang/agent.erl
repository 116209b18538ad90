%% Runs on every node: loads code and tells when, by the machine's clock in microseconds.
-module(agent).
-export([load/2, version/1]).

%% code:load_binary purges what is left of the version before the last.
load(Module, Binary) ->
    Arrived = os:system_time(microsecond),
    {module, Module} = code:load_binary(Module, atom_to_list(Module) ++ ".beam", Binary),
    Switched = os:system_time(microsecond),
    {Module:version(), Arrived, Switched}.

%% The running version; undefined when the module is not loaded.
version(Module) ->
    case erlang:module_loaded(Module) of
        true -> Module:version();
        false -> undefined
    end.
