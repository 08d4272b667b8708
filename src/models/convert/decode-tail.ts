import type { OnnxBuilder } from './onnx-builder.ts';

/** Pixels of the input that one cell of the heads covers. */
export const HEAD_STRIDE = 4;
/** Rows of the output. */
export const MAX_DETECTIONS = 100;

/**
 * Writes the decoding of the heads into `detections` [N, 100, 6]: x1, y1, x2, y2 in pixels of the network's input,
 * score, class; best first.
 *
 * The scores are flattened as they lie in memory, channels first, so that no large tensor is transposed:
 * index = class * cells + cell. Quotients and remainders are written with Div, Mul and Sub, and boxes are picked with
 * GatherElements, because TensorRT 8.4 lacks Mod and the batch must stay free.
 */
export function emitDecodeTail(
  builder: OnnxBuilder,
  heads: { readonly scores: string; readonly sides: string },
  size: { readonly width: number; readonly height: number },
): string {
  const columns = size.width / HEAD_STRIDE;
  const cells = columns * (size.height / HEAD_STRIDE);
  const [scores, index] = emitBestPeaks(builder, heads.scores);

  const cellCount = builder.integers('decode/cell_count', [], [cells]);
  const [classIndex, cell] = emitDivide(builder, 'decode/class', index, cellCount);
  const columnCount = builder.integers('decode/column_count', [], [columns]);
  const [row, column] = emitDivide(builder, 'decode/row', cell, columnCount);

  const x = emitPlane(builder, 'decode/x', column);
  const y = emitPlane(builder, 'decode/y', row);
  const stride = builder.floats('decode/stride', [], [HEAD_STRIDE]);
  const centres = builder.add('Concat', 'decode/centres', [x, y, x, y], { axis: 1 });
  const centresInPixels = builder.add('Mul', 'decode/centre_pixels', [centres, stride]);
  const sides = emitSides(builder, heads.sides, cell);
  const corners = builder.add('Add', 'decode/corners', [centresInPixels, sides]);

  const axis = builder.integers('decode/axis', [1], [1]);
  const scorePlane = builder.add('Unsqueeze', 'decode/score_plane', [scores, axis]);
  const classPlane = emitPlane(builder, 'decode/class_plane', classIndex);
  const planes = builder.add('Concat', 'decode/planes', [corners, scorePlane, classPlane], {
    axis: 1,
  });
  return builder.add('Transpose', 'detections', [planes], { perm: [0, 2, 1] });
}

/** Keeps scores that are the greatest of their 3x3 neighbours and returns the best: values and flat indices. */
function emitBestPeaks(builder: OnnxBuilder, scores: string): [string, string] {
  const greatest = builder.add('MaxPool', 'decode/greatest', [scores], {
    kernel_shape: [3, 3],
    strides: [1, 1],
    pads: [1, 1, 1, 1],
  });
  const isPeak = builder.add('Equal', 'decode/is_peak', [scores, greatest]);
  const mask = builder.add('Cast', 'decode/peak_mask', [isPeak], { to: 1 });
  const peaks = builder.add('Mul', 'decode/peaks', [scores, mask]);
  const flatShape = builder.integers('decode/flat_shape', [2], [0, -1]);
  const flat = builder.add('Reshape', 'decode/flat_peaks', [peaks, flatShape]);
  const count = builder.integers('decode/count', [1], [MAX_DETECTIONS]);
  const best = builder.add(
    'TopK',
    'decode/best',
    [flat, count],
    { axis: 1, largest: 1, sorted: 1 },
    2,
  );
  return [best, `${best}:1`];
}

/** Quotient and remainder of non-negative integers. */
function emitDivide(
  builder: OnnxBuilder,
  name: string,
  value: string,
  divisor: string,
): [string, string] {
  const quotient = builder.add('Div', name, [value, divisor]);
  const whole = builder.add('Mul', `${name}/whole`, [quotient, divisor]);
  return [quotient, builder.add('Sub', `${name}/remainder`, [value, whole])];
}

/** Integers [N, 100] as floats [N, 1, 100]. */
function emitPlane(builder: OnnxBuilder, name: string, value: string): string {
  const axis = builder.integers('decode/axis', [1], [1]);
  const plane = builder.add('Unsqueeze', `${name}/plane`, [value, axis]);
  return builder.add('Cast', name, [plane], { to: 1 });
}

/** Distances from the centre to the left, top, right and bottom side at the picked cells, signed: [N, 4, 100]. */
function emitSides(builder: OnnxBuilder, sides: string, cell: string): string {
  const shape = builder.integers('decode/sides_shape', [3], [0, 4, -1]);
  const flat = builder.add('Reshape', 'decode/flat_sides', [sides, shape]);
  const axis = builder.integers('decode/axis', [1], [1]);
  const plane = builder.add('Unsqueeze', 'decode/cell_plane', [cell, axis]);
  const index = builder.add('Concat', 'decode/cell_planes', [plane, plane, plane, plane], {
    axis: 1,
  });
  const picked = builder.add('GatherElements', 'decode/picked_sides', [flat, index], { axis: 2 });
  const signs = builder.floats('decode/signs', [1, 4, 1], [-1, -1, 1, 1]);
  return builder.add('Mul', 'decode/signed_sides', [picked, signs]);
}
