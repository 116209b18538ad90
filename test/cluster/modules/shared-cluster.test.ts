// These tests share one cluster of two nodes, in this order. hot-imports expects that demo is not pushed yet; http adds a
// node and stops it. To run one file: -t 'hot import'.
import './shared-cluster/hot-imports.ts';
import './shared-cluster/call.ts';
import './shared-cluster/streams.ts';
import './shared-cluster/errors.ts';
import './shared-cluster/logs.ts';
import './shared-cluster/state.ts';
import './shared-cluster/timers.ts';
import './shared-cluster/version-resources.ts';
import './shared-cluster/packages.ts';
import './shared-cluster/http.ts';
