// These tests share one cluster of three nodes, in this order, because the start of a cluster takes most of their time. They
// use different modules, and each of them leaves all nodes running. To run one file: -t 'concurrent pushes'.
import './shared-cluster/push.ts';
import './shared-cluster/calls-during-pushes.ts';
// Before those that leave a source that nodes refuse: it pushes all that is not on the nodes.
import './shared-cluster/dev.ts';
import './shared-cluster/refused-push.ts';
import './shared-cluster/removed-export.ts';
import './shared-cluster/type-check.ts';
import './shared-cluster/killed-helpers.ts';
import './shared-cluster/dry-run.ts';
import './shared-cluster/concurrent-pushes.ts';
import './shared-cluster/load-order.ts';
import './shared-cluster/compile-on-one-node.ts';
import './shared-cluster/shell.ts';
// It adds a node.
import './shared-cluster/missed-push.ts';
// It adds nodes of another service, and removes them.
import './shared-cluster/groups.ts';
// Last: it rotates the keys, and writes the heads of all modules again.
import './shared-cluster/json-output.ts';
