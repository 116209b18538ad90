
import { fork } from 'node:child_process'; import { once } from 'node:events'; import { writeFileSync } from 'node:fs'; import { randomBytes, randomUUID } from 'node:crypto';
import { encode } from '../protocol/codec.ts'; import { inboxPrefix } from '../protocol/inboxes.ts';
import { connectAs, containerOf, subjects, natsUsers } from './scale/cluster.ts';
import { simulateController, TRUST_DIR, writeKeys } from './zz-controller.ts';
import { simulateNodes } from './scale/nodes.ts';
import { status } from '../controller/src/commands/status.ts';
import * as v from 'valibot'; import { reportSchema } from '../controller/src/api/report.ts'; import { lineOf } from '../controller/src/api/validation.ts';
import { push } from '../controller/src/commands/push.ts';
import { pack } from '../controller/src/build/bundle-size.ts'; import { packMap } from '../protocol/bundle.ts'; import { compiledSubject } from './subject.ts';
const nothing=()=>undefined;
if (process.argv[2]==='users') { writeFileSync('/tmp/lab/accounts.conf', natsUsers()); process.exit(); }
if (process.argv[2]==='nodes') { process.on('disconnect',()=>process.exit()); simulateNodes(TRUST_DIR); } else await drive();
async function drive(){
 writeKeys();
 const N=Number(process.argv[3]??30), M=Number(process.argv[4]??200), P=3;
 const kids=Array.from({length:P},()=>fork(import.meta.filename,['nodes'],{stdio:['ignore',2,2,'ipc'],execArgv:['--no-compilation-cache']}));
 const c=await simulateController(); const roster=await connectAs('roster',inboxPrefix('roster'));
 const answer=encode({status:'containers',containers:Array.from({length:N},(_,i)=>({...containerOf(i+1),state:'running'}))});
 roster.subscribe(subjects.roster,{callback:(_,q)=>void q.respond(answer)});
 await Promise.all(kids.map(async(k,i)=>{k.send(Array.from({length:N},(_,n)=>n+1).filter(n=>n%P===i)); await once(k,'message');}));
 const sub=compiledSubject(5120);
 const build=(i:number)=>{const bundle={...sub.bundle(i,0,'joined-'+i),map:packMap(randomBytes(1100).toString('base64'))};return {bundle,packed:pack(bundle,Infinity),packages:null,groups:null,sources:{['modules/joined-'+i+'.ts']:'b'.repeat(64)}};};
 c.set(Array.from({length:M},(_,i)=>build(i)));
 const r=await push(c.context as any,{type:'push',cookie:null,author:'b',change:randomUUID(),modules:Array.from({length:M},(_,i)=>'joined-'+i),timeoutMs:60000,dryRun:false,force:false,check:false,canary:null} as any,nothing,new AbortController().signal,nothing);
 console.log('pushed',r.outcome,r.times);
 (c.context as any).groups=async()=>new Map();
 const store:any=c.context.store; 
 const wrap=(o:any,n:string)=>{const f=o[n];o[n]=async(...a:any[])=>{const s=performance.now();try{return await f.apply(o,a)}finally{parts[n]=(performance.now()-s).toFixed(1)}}};
 const parts:any={}; for(const n of ['heads','storage','natsClockOffset','unreadableBundles']) wrap(store,n); wrap(c.context.membership,'expected');
 const all:number[]=[]; const cpu:number[]=[];
 for(let k=0;k<Number(process.argv[5]??20);k++){ const s=performance.now(); const c0=process.cpuUsage(); const x=await status(c.context as any,{type:'status',cookie:null,timeoutMs:5000,waitMs:0} as any,nothing,new AbortController().signal,undefined as any); const line=lineOf(v.parse(reportSchema,{type:'result',result:x})); const ms=performance.now()-s; const c1=process.cpuUsage(c0); cpu.push((c1.user+c1.system)/1000); all.push(ms); if(k%5===0)console.log(ms.toFixed(1),x.nodes.length,x.nodes.filter((r:any)=>r.state!=='ok').length,JSON.stringify(parts)); await new Promise(r=>setTimeout(r,100)); }
 all.sort((a,b)=>a-b); cpu.sort((a,b)=>a-b); console.log('p50',all[all.length>>1]!.toFixed(1),'controller cpu ms',cpu[cpu.length>>1]!.toFixed(1));
 process.exit();
}
