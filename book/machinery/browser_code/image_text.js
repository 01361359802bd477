// Reads the images that generated/image_text.py has written as a text; how is explained there.
(() => {
  const define = (live) => {
    const SIDE = 28, WIDE = SIDE + 2, BASE = 93, BITS = 13, TOTAL = 2 ** BITS, LOWEST = TOTAL * 2 ** 10, STATE_DIGITS = 5;
    const digit = (text, at) => {
      const code = text.charCodeAt(at);
      return code - 32 - (code > 34 ? 1 : 0) - (code > 92 ? 1 : 0); // neither the quotation mark nor the backslash
    };

    // For each context and each place among TOTAL: the value that stands there; and where each value starts.
    const unfold = (written) => {
      const size = written.length / 2, frequency = new Uint16Array(size), start = new Uint16Array(size);
      const value = new Uint8Array((size / 256) * TOTAL);
      for (let n = 0, sum = 0; n < size; n++, sum %= TOTAL) {
        frequency[n] = digit(written, 2 * n) * BASE + digit(written, 2 * n + 1);
        start[n] = sum;
        value.fill(n % 256, Math.floor(n / 256) * TOTAL + sum, Math.floor(n / 256) * TOTAL + sum + frequency[n]);
        sum += frequency[n];
      }
      return { frequency, start, value };
    };

    // The pixels of all images, as bytes.
    live.readImages = ({ text, frequencies, limits }, count) => {
      const { frequency, start, value } = unfold(frequencies), pixels = new Uint8Array(count * SIDE ** 2);
      const kinds = (own, size) => Uint8Array.from({ length: size }, (_, number) => own.filter((limit) => number >= limit).length);
      const forecastKind = kinds(limits.forecast, 256), unrestKind = kinds(limits.unrest, 3 * 255 + 1), across = limits.unrest.length + 1;
      const image = new Uint8Array(WIDE * (SIDE + 1)); // with a black edge above, on the left and on the right
      for (let n = 0, at = 0; n < count; n++) {
        let state = 0;
        for (let k = 0; k < STATE_DIGITS; k++) state = state * BASE + digit(text, at++);
        for (let row = 0; row < SIDE; row++) {
          for (let column = 0; column < SIDE; column++) {
            const here = (row + 1) * WIDE + column + 1;
            const left = image[here - 1], above = image[here - WIDE], between = image[here - WIDE - 1], beyond = image[here - WIDE + 1];
            const forecast = Math.max(Math.min(left, above), Math.min(Math.max(left, above), left + above - between));
            const unrest = Math.abs(left - between) + Math.abs(between - above) + Math.abs(above - beyond);
            const context = forecastKind[forecast] * across + unrestKind[unrest], slot = state & (TOTAL - 1);
            const found = value[context * TOTAL + slot], entry = context * 256 + found;
            state = frequency[entry] * (state >> BITS) + slot - start[entry];
            while (state < LOWEST) state = state * BASE + digit(text, at++);
            image[here] = found;
            pixels[n * SIDE ** 2 + row * SIDE + column] = found;
          }
        }
      }
      return pixels;
    };
  };

  define((globalThis.fmnistLive ??= {}));
  (globalThis.fmnistLive.forWorker ??= []).push(define);
})();
