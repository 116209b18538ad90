// These tests share one cluster of three nodes, in this order. The last files add nodes, rotate the signing key, and restart NATS
// and the roster. To run one file: -t 'credentials of a'.
import './shared-cluster/refused-connections.ts';
import './shared-cluster/role-permissions.ts';
import './shared-cluster/second-cookie.ts';
import './shared-cluster/unsigned-code.ts';
import './shared-cluster/one-node.ts';
import './shared-cluster/rotated-keys.ts';
import './shared-cluster/cookies-and-names.ts';
import './shared-cluster/unharmed.ts';
