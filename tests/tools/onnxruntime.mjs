// SPDX-License-Identifier: GPL-3.0-or-later
// usage: node onnxruntime.mjs FOLDER: every FOLDER/*/model.onnx is run by onnxruntime on input_K.npy and compared with
// output_K.npy, as test-save-onnx leaves them with ESPALIER_ONNX_FOLDER=FOLDER. Needs the npm package onnxruntime-node
// (npm install --ignore-scripts onnxruntime-node), found by node or below ESPALIER_NODE_MODULES; exits 77 without it.
import { createRequire } from 'node:module';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const TOLERANCE = 1e-5; // relative to the largest number: onnxruntime computes in single precision
const QUANTIZED_SHARE = 0.01; // so many steps next to a tie may be taken the other way

// Networks whose sums are exactly 0 before a sign: what single precision makes of them is chance, also in Keras.
const TIES = new Set(['custom__keras_bnn_full.h5']);

let ort;
const modules = process.env.ESPALIER_NODE_MODULES;
try {
  ort = createRequire(modules ? join(modules, 'x.js') : import.meta.url)('onnxruntime-node');
} catch {
  console.log('1..0 # SKIP onnxruntime-node is not here (npm install --ignore-scripts onnxruntime-node)');
  process.exit(77);
}

function readNpy(path) {
  const bytes = readFileSync(path);
  const wide = bytes[6] > 1;
  const start = wide ? 12 : 10;
  const length = wide ? bytes.readUInt32LE(8) : bytes.readUInt16LE(8);
  const header = bytes.toString('latin1', start, start + length);
  const shape = /'shape': \(([^)]*)\)/.exec(header)[1].split(',').filter(s => s.trim()).map(Number);
  const type = /'descr': '([^']*)'/.exec(header)[1];
  const body = bytes.buffer.slice(bytes.byteOffset + start + length, bytes.byteOffset + bytes.length);
  const arrays = { '<f4': Float32Array, '<f8': Float64Array, '|u1': Uint8Array, '<i4': Int32Array, '<i8': BigInt64Array };
  return { shape, data: new arrays[type](body) };
}

async function run(folder) {
  const session = await ort.InferenceSession.create(join(folder, 'model.onnx'), { logSeverityLevel: 3 });
  const feeds = {};
  session.inputNames.forEach((name, k) => {
    const { shape, data } = readNpy(join(folder, `input_${k}.npy`));
    feeds[name] = new ort.Tensor('float32', Float32Array.from(data, Number), shape);
  });
  const results = await session.run(feeds);
  let worst = 0, off = 0, n = 0;
  session.outputNames.forEach((name, k) => {
    const want = readNpy(join(folder, `output_${k}.npy`)).data, have = results[name].data;
    if (have.length !== want.length) throw new Error(`output ${k}: ${have.length} numbers, not ${want.length}`);
    const scale = want.reduce((m, v) => Math.max(m, Math.abs(v)), 1e-30);
    want.forEach((v, i) => {
      const d = Math.abs(Number(have[i]) - v) / scale;
      worst = Math.max(worst, Number.isNaN(d) ? Infinity : d);
      if (!(d <= TOLERANCE)) off++;
      n++;
    });
  });
  return { worst, off, n };
}

const root = process.argv[2];
const folders = readdirSync(root).filter(f => existsSync(join(root, f, 'model.onnx'))).sort();
console.log(`1..${folders.length}`);
let bad = 0;
for (const [i, name] of folders.entries()) {
  try {
    const { worst, off, n } = await run(join(root, name));
    const quantized = existsSync(join(root, name, 'quantized'));
    const ok = off <= (quantized ? Math.max(QUANTIZED_SHARE * n, 1) : 0) || TIES.has(name);
    bad += ok ? 0 : 1;
    console.log(`${ok ? 'ok' : 'not ok'} ${i + 1} - ${name} # worst ${worst.toExponential(2)}, ${off} of ${n} beyond ${TOLERANCE}`);
  } catch (error) {
    bad++;
    console.log(`not ok ${i + 1} - ${name} # ${String(error.message).split('\n')[0].slice(0, 300)}`);
  }
}
process.exit(bad ? 1 : 0);
