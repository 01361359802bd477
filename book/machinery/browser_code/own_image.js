// A picture of one's own, made like those of the data set: the steps of fmnist_utils/photos.py, one by one.
(() => {
  const live = (globalThis.fmnistLive ??= {});
  const SIDE = 28, LONGEST = 1000, VISIBLE = 0.1, HARDLY = 0.01;

  const times = (count, make) => Array.from({ length: count }, (_, n) => make(n));
  const median = (numbers) => {
    const sorted = [...numbers].sort((a, b) => a - b), half = sorted.length / 2;
    return (sorted[Math.ceil(half) - 1] + sorted[Math.floor(half)]) / 2;
  };
  const evenly = (x) => (Math.abs(x % 1) === 0.5 ? 2 * Math.round(x / 2) : Math.round(x)); // halves as Python rounds them

  // Means of the pixels that each new one covers; of n rows, new row i of m covers floor(i n / m) to ceil((i + 1) n / m) − 1.
  const shrink = ({ data, width, height }, rows, columns, span = (i, n, m) => [Math.floor((i * n) / m), Math.ceil(((i + 1) * n) / m)]) => {
    const made = new Float64Array(rows * columns);
    for (let r = 0; r < rows; r++) for (let c = 0; c < columns; c++) {
      const [top, bottom] = span(r, height, rows), [left, right] = span(c, width, columns);
      let sum = 0;
      for (let y = top; y < bottom; y++) for (let x = left; x < right; x++) sum += data[y * width + x];
      made[r * columns + c] = sum / ((bottom - top) * (right - left));
    }
    return { data: made, width: columns, height: rows };
  };

  // What stands out from the edges: the rows and columns at the edges go in which hardly anything is visible.
  const trim = ({ data, width, height }) => {
    const share = (count, length, at) => times(count, (i) => times(length, (j) => at(i, j)).filter((n) => data[n] > VISIBLE).length / length > HARDLY);
    const rows = share(height, width, (y, x) => y * width + x), columns = share(width, height, (x, y) => y * width + x);
    const [top, bottom, left, right] = [rows.indexOf(true), rows.lastIndexOf(true), columns.indexOf(true), columns.lastIndexOf(true)];
    if (top < 0 || left < 0) throw new Error("plain");
    const kept = times(bottom - top + 1, (y) => [...data.subarray((top + y) * width + left, (top + y) * width + right + 1)]).flat();
    return { data: Float64Array.from(kept), width: right - left + 1, height: bottom - top + 1 };
  };

  const centre = ({ data, width, height }) => {
    const made = new Float64Array(SIDE * SIDE), top = Math.floor((SIDE + 1 - height) / 2), left = Math.floor((SIDE + 1 - width) / 2);
    data.forEach((number, n) => { made[(top + Math.floor(n / width)) * SIDE + left + (n % width)] = number; });
    return { data: made, width: SIDE, height: SIDE };
  };

  // From bytes (red, green, blue, opacity; by rows) to the picture after each step: numbers from 0 to 1, width, height.
  // An error says "plain" if nothing stands out from the background.
  live.ownImage = ({ data, width, height }) => {
    const divisor = Math.ceil(Math.max(width, height) / LONGEST);
    const whole = (i, n) => [i * divisor, Math.min(n, (i + 1) * divisor)];
    const channel = (k) => {
      const over = Float64Array.from({ length: width * height }, (_, n) => 1 + (data[4 * n + 3] / 255) * (data[4 * n + k] / 255 - 1)); // over white
      const full = { data: over, width, height };
      return divisor > 1 ? shrink(full, Math.ceil(height / divisor), Math.ceil(width / divisor), whole) : full;
    };
    const [red, green, blue] = [0, 1, 2].map(channel), size = { width: red.width, height: red.height };
    const given = { ...size, data: red.data, colours: [red.data, green.data, blue.data] };
    const grey = { ...size, data: red.data.map((number, n) => 0.299 * number + 0.587 * green.data[n] + 0.114 * blue.data[n]) };
    const rows = times(size.height, (y) => [grey.data[y * size.width], grey.data[(y + 1) * size.width - 1]]).flat();
    const edges = [...grey.data.subarray(0, size.width), ...grey.data.subarray(-size.width), ...rows];
    const background = median(edges), light = background > 0.5;
    const negated = { ...size, data: grey.data.map((number) => Math.max(0, light ? background - number : number - background)) };
    if (!negated.data.some((number) => number > VISIBLE)) throw new Error("plain");
    const trimmed = size.width === SIDE && size.height === SIDE ? negated : trim(negated);
    const longest = Math.max(trimmed.width, trimmed.height), side = (length) => Math.max(1, evenly((SIDE * length) / longest));
    const small = centre(shrink(trimmed, side(trimmed.height), side(trimmed.width)));
    const highest = Math.max(...small.data);
    return { given, grey, negated, trimmed, small: { ...small, data: small.data.map((number) => number / highest) } };
  };
})();
