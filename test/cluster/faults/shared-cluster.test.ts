// These tests share one cluster of four nodes, in this order. Each of them starts again what it stops. The last ones delete
// the stream, after which no other test can expect that the nodes converge. To run one file: -t 'stop'.
import './shared-cluster/stop.ts';
import './shared-cluster/controller-killed.ts';
import './shared-cluster/node-fails-during-push.ts';
import './shared-cluster/nats-killed.ts';
import './shared-cluster/backup.ts';
