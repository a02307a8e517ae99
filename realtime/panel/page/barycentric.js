// Weights of a polygon's corners for a point in it: mean value coordinates (Floater 2003).

/** Corners of the pad for n styles, within -1..1; two lie on a line. */
export function corners(n) {
  if (n === 2) return [[-1, 0], [1, 0]];
  const turn = n === 4 ? Math.PI / 4 : 0;
  return Array.from({ length: n }, (_, k) => {
    const angle = -Math.PI / 2 - turn + (2 * Math.PI * k) / n;
    return [Math.cos(angle), Math.sin(angle)];
  });
}

/** Where the weights put the puck: exact for weights made by `weightsAt`. */
export function placeOf(weights, polygon) {
  return polygon.reduce(([x, y], [cx, cy], k) => [x + weights[k] * cx, y + weights[k] * cy], [0, 0]);
}

/** Weights that sum to 1, none negative, 1 at a corner, linear along an edge. */
export function weightsAt(point, polygon) {
  const n = polygon.length;
  if (n === 2) {
    const t = Math.min(1, Math.max(0, (point[0] + 1) / 2));
    return [1 - t, t];
  }
  const [x, y] = inside(point, polygon);
  const to = polygon.map(([cx, cy]) => [cx - x, cy - y]);
  const far = to.map(([dx, dy]) => Math.hypot(dx, dy));
  const at = far.findIndex((d) => d < 1e-6);
  if (at >= 0) return polygon.map((_, k) => (k === at ? 1 : 0));
  const halves = to.map(([dx, dy], k) => {
    const [ex, ey] = to[(k + 1) % n];
    const cross = dx * ey - dy * ex;
    const dot = dx * ex + dy * ey;
    const product = far[k] * far[(k + 1) % n];
    return [cross, (product - dot) / cross, dot]; // tan(angle / 2)
  });
  const edge = halves.findIndex(([cross, , dot]) => Math.abs(cross) < 1e-7 && dot < 0);
  if (edge >= 0) {
    const next = (edge + 1) % n;
    const total = far[edge] + far[next];
    return polygon.map((_, k) => (k === edge ? far[next] / total : k === next ? far[edge] / total : 0));
  }
  const raw = far.map((d, k) => (halves[(k + n - 1) % n][1] + halves[k][1]) / d);
  const sum = raw.reduce((a, b) => a + b, 0);
  return raw.map((w) => Math.max(0, w / sum));
}

/** The point itself, or the nearest of the polygon's edge. */
export function inside([x, y], polygon) {
  const n = polygon.length;
  const isOut = polygon.some(([ax, ay], k) => {
    const [bx, by] = polygon[(k + 1) % n];
    return (bx - ax) * (y - ay) - (by - ay) * (x - ax) < -1e-9; // corners run clockwise on the screen
  });
  if (!isOut) return [x, y];
  let best = null;
  polygon.forEach(([ax, ay], k) => {
    const [bx, by] = polygon[(k + 1) % n];
    const [dx, dy] = [bx - ax, by - ay];
    const t = Math.min(1, Math.max(0, ((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy)));
    const near = [ax + t * dx, ay + t * dy];
    const d = Math.hypot(near[0] - x, near[1] - y);
    if (!best || d < best.d) best = { d, near };
  });
  return best.near;
}
