// Small networks in plain JavaScript: the layers of this book, for one image, with weights that book/live.py wrote.
(() => {
  const live = (globalThis.fmnistLive ??= {});

  // Base64 to bytes.
  live.bytes = (text) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));

  // Three bytes a number, which is the numerator of a fraction of the largest.
  live.numbers = ({ largest, numbers }) => {
    const bytes = live.bytes(numbers), unit = largest / (2 ** 23 - 1);
    return Float64Array.from({ length: bytes.length / 3 }, (_, n) =>
      ((bytes[3 * n] << 24) | (bytes[3 * n + 1] << 16) | (bytes[3 * n + 2] << 8)) / 256 * unit);
  };

  const elementwise = (work) => ({ data, shape }) => ({ data: data.map(work), shape });

  // For each kind of layer: its sizes and its weights, taken in PyTorch's order, make a function of {data, shape}.
  const KINDS = {
    linear: ({ inputs, outputs }, take) => {
      const weights = take(), bias = take();
      return ({ data }) => {
        const made = Float64Array.from(bias);
        for (let o = 0; o < outputs; o++) for (let i = 0; i < inputs; i++) made[o] += weights[o * inputs + i] * data[i];
        return { data: made, shape: [outputs] };
      };
    },
    convolution: ({ inputs, outputs, kernel, stride, padding }, take) => {
      const weights = take(), bias = take();
      return ({ data, shape: [, height, width] }) => {
        const side = (size) => Math.floor((size + 2 * padding - kernel) / stride) + 1;
        const rows = side(height), columns = side(width), made = new Float64Array(outputs * rows * columns);
        let w = 0;
        for (let o = 0; o < outputs; o++) {
          made.fill(bias[o], o * rows * columns, (o + 1) * rows * columns);
          for (let i = 0; i < inputs; i++) for (let k = 0; k < kernel; k++) for (let l = 0; l < kernel; l++, w++) {
            const weight = weights[w];
            for (let r = 0; r < rows; r++) {
              const y = r * stride + k - padding, from = (i * height + y) * width + l - padding, to = (o * rows + r) * columns;
              if (y < 0 || y >= height) continue;
              for (let c = 0, x = l - padding; c < columns; c++, x += stride) {
                if (x >= 0 && x < width) made[to + c] += weight * data[from + c * stride];
              }
            }
          }
        }
        return { data: made, shape: [outputs, rows, columns] };
      };
    },
    transposed: ({ inputs, outputs, kernel, stride, padding, outputPadding }, take) => {
      const weights = take(), bias = take();
      return ({ data, shape: [, height, width] }) => {
        const side = (size) => (size - 1) * stride - 2 * padding + kernel + outputPadding;
        const rows = side(height), columns = side(width), made = new Float64Array(outputs * rows * columns);
        for (let o = 0; o < outputs; o++) made.fill(bias[o], o * rows * columns, (o + 1) * rows * columns);
        let w = 0;
        for (let i = 0; i < inputs; i++) for (let o = 0; o < outputs; o++) for (let k = 0; k < kernel; k++) for (let l = 0; l < kernel; l++, w++) {
          const weight = weights[w];
          for (let y = 0; y < height; y++) {
            const r = y * stride + k - padding, from = (i * height + y) * width, to = (o * rows + r) * columns + l - padding;
            if (r < 0 || r >= rows) continue;
            for (let x = 0, c = l - padding; x < width; x++, c += stride) {
              if (c >= 0 && c < columns) made[to + x * stride] += weight * data[from + x];
            }
          }
        }
        return { data: made, shape: [outputs, rows, columns] };
      };
    },
    max: ({ kernel, stride }) => ({ data, shape: [channels, height, width] }) => {
      const side = (size) => Math.floor((size - kernel) / stride) + 1;
      const rows = side(height), columns = side(width), made = new Float64Array(channels * rows * columns).fill(-Infinity);
      for (let n = 0; n < made.length; n++) {
        const c = n % columns, r = Math.floor(n / columns) % rows, channel = Math.floor(n / columns / rows);
        for (let k = 0; k < kernel; k++) for (let l = 0; l < kernel; l++) {
          made[n] = Math.max(made[n], data[(channel * height + r * stride + k) * width + c * stride + l]);
        }
      }
      return { data: made, shape: [channels, rows, columns] };
    },
    // With the mean and the variance that training left.
    batchNorm: ({ epsilon }, take) => {
      const gamma = take(), beta = take(), mean = take(), variance = take();
      return ({ data, shape }) => {
        const places = shape[1] * shape[2];
        const made = data.map((x, n) => {
          const channel = Math.floor(n / places);
          return ((x - mean[channel]) / Math.sqrt(variance[channel] + epsilon)) * gamma[channel] + beta[channel];
        });
        return { data: made, shape };
      };
    },
    relu: () => elementwise((x) => Math.max(0, x)),
    leakyRelu: ({ slope }) => elementwise((x) => (x < 0 ? slope * x : x)),
    sigmoid: () => elementwise((x) => 1 / (1 + Math.exp(-x))),
    reshape: ({ shape }) => ({ data }) => ({ data, shape }),
  };

  // The layers of a network, each with its sizes, its tensors and what it does.
  live.layers = ({ layers, weights }) => {
    const packed = [...weights];
    return layers.map((layer) => {
      const tensors = [];
      const take = () => tensors[tensors.push(live.numbers(packed.shift())) - 1];
      return { ...layer, run: KINDS[layer.kind](layer, take), tensors };
    });
  };

  // A function from numbers (by default an image, 28 × 28, from 0 to 1) to those that the network gives.
  live.network = (network) => {
    const layers = live.layers(network);
    return (data, shape = [1, 28, 28]) => layers.reduce((value, { run }) => run(value), { data: Float64Array.from(data), shape }).data;
  };

  live.softmax = (logits) => {
    const highest = Math.max(...logits), raised = [...logits].map((logit) => Math.exp(logit - highest));
    const sum = raised.reduce((a, b) => a + b);
    return raised.map((one) => one / sum);
  };

  // Images of bytes, one after the other, as numbers from 0 to 1.
  live.images = (text) => {
    const bytes = live.bytes(text);
    return Array.from({ length: bytes.length / 784 }, (_, n) => Float64Array.from(bytes.subarray(784 * n, 784 * (n + 1)), (byte) => byte / 255));
  };

  const bounded = (number) => Math.round(255 * Math.min(1, Math.max(0, number)));
  live.grey = (number) => [bounded(number), bounded(number), bounded(number)];
  // From −1, orange, over 0, white, to 1, blue.
  live.signed = (number) => {
    const [much, end] = [Math.min(1, Math.abs(number)), number < 0 ? [213, 94, 0] : [0, 114, 178]];
    return end.map((byte) => Math.round(255 + much * (byte - 255)));
  };

  // Draw numbers on a canvas, by default those of an image from 0 to 1.
  live.paint = (canvas, numbers, width = 28, colour = live.grey) => {
    const picture = new ImageData(width, numbers.length / width);
    numbers.forEach((number, n) => {
      [picture.data[4 * n], picture.data[4 * n + 1], picture.data[4 * n + 2]] = colour(number, n);
      picture.data[4 * n + 3] = 255;
    });
    if (canvas.width !== width) canvas.width = width;
    if (canvas.height !== picture.height) canvas.height = picture.height;
    canvas.getContext("2d", { willReadFrequently: true }).putImageData(picture, 0, 0); // small pictures: quicker without the GPU
  };

  live.canvas = (attributes) => live.element("canvas", { width: 28, height: 28, ...attributes });
})();
