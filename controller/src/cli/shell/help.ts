/** What `.help` prints. */
export const HELP = `\
c(demo).                 compile demo and load it on this node
nl(demo).  push demo     compile it and load it on every node
demo:add(1, 2).          call a function on this node
demo.add(1, 2)           the same in JavaScript
ping(betty).             pong, or pang     net_adm:ping('betty@dino').
node().  nodes().        this node, the other nodes     erlang:get_cookie().
m(demo).                 its exports, revision, since when, and what drains
l(demo).                 load demo on this node again
code:purge(demo).        end its earlier versions on this node
code:soft_purge(demo).   the same, but for those with calls
.on betty  .on all       type to another node, or to all
.nodes  .status          tables of the nodes and of the modules
.logs                    stop showing what modules print, or show it again
q().  .exit  Ctrl+D      leave     Ctrl+C ends the waiting`;
