// These tests share one fleet without containers, in this order. One of them rotates its signing key. To run one file:
// -t 'an operator that is revoked'.
import './operators/what-it-may.ts';
import './operators/messages.ts';
import './operators/other-keys.ts';
import './operators/revoked.ts';
import './operators/expired.ts';
import './operators/new-operators.ts';
