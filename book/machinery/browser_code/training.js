// Training a network of dense layers, in plain JavaScript: the steps that pages 00 and 01 write in PyTorch.
// Nothing here knows of a page: it runs in a Web Worker, and in Node for the tests, which compare it with PyTorch.
// A matrix of r rows and c columns is a Float32Array of r·c numbers, row after row; sums are made in float64.
(() => {
  const define = (live) => {
    // --- Random numbers -------------------------------------------------------------------------------------------
    // PyTorch's generator, the Mersenne Twister MT19937 (M. Matsumoto and T. Nishimura, 1998), so that a seed gives
    // the first weights and the order of the images that it gives in PyTorch.
    const LENGTH = 624, SHIFT = 397;

    class Random {
      constructor(seed) {
        this.state = new Uint32Array(LENGTH);
        this.state[0] = seed;
        for (let n = 1; n < LENGTH; n++) {
          const last = this.state[n - 1];
          this.state[n] = Math.imul(1812433253, last ^ (last >>> 30)) + n;
        }
        this.position = LENGTH;
      }

      // A whole number from 0 to 2³² − 1.
      whole() {
        const { state } = this;
        if (this.position === LENGTH) {
          for (let n = 0; n < LENGTH; n++) {
            const mixed = (state[n] & 0x80000000) | (state[(n + 1) % LENGTH] & 0x7fffffff);
            state[n] = state[(n + SHIFT) % LENGTH] ^ (mixed >>> 1) ^ (mixed & 1 ? 0x9908b0df : 0);
          }
          this.position = 0;
        }
        let number = state[this.position++];
        number ^= number >>> 11;
        number ^= (number << 7) & 0x9d2c5680;
        number ^= (number << 15) & 0xefc60000;
        return (number ^ (number >>> 18)) >>> 0;
      }

      // A number from 0 to 1, 1 excluded: 24 of the 32 bits, which is what a float32 holds.
      fraction() {
        return (this.whole() & 0xffffff) / 0x1000000;
      }

      // The numbers from 0 to size − 1 in a random order.
      order(size) {
        const order = Uint32Array.from({ length: size }, (_, n) => n);
        for (let n = 0; n < size - 1; n++) {
          const other = n + (this.whole() % (size - n)), kept = order[n];
          order[n] = order[other];
          order[other] = kept;
        }
        return order;
      }
    }

    // --- Products of matrices -------------------------------------------------------------------------------------
    // out[i, j] = Σ a[i, k] · b[k, j]. Each matrix is given with the distance, in its array, from a number to the next
    // along each index, so that a transposed matrix needs no copy. Sixteen sums grow at once: the eight numbers that are
    // read serve sixteen multiplications. Nearly all the time of training is spent in the middle loop.
    const product = (out, [rows, columns, inner], a, [aRow, aInner], b, [bInner, bColumn]) => {
      const wholeRows = rows - (rows % 4), wholeColumns = columns - (columns % 4);
      for (let i = 0; i < wholeRows; i += 4) {
        for (let j = 0; j < wholeColumns; j += 4) {
          let s00 = 0, s01 = 0, s02 = 0, s03 = 0, s10 = 0, s11 = 0, s12 = 0, s13 = 0;
          let s20 = 0, s21 = 0, s22 = 0, s23 = 0, s30 = 0, s31 = 0, s32 = 0, s33 = 0;
          for (let k = 0, p = i * aRow, q = j * bColumn; k < inner; k++, p += aInner, q += bInner) {
            const a0 = a[p], a1 = a[p + aRow], a2 = a[p + 2 * aRow], a3 = a[p + 3 * aRow];
            const b0 = b[q], b1 = b[q + bColumn], b2 = b[q + 2 * bColumn], b3 = b[q + 3 * bColumn];
            s00 += a0 * b0; s01 += a0 * b1; s02 += a0 * b2; s03 += a0 * b3;
            s10 += a1 * b0; s11 += a1 * b1; s12 += a1 * b2; s13 += a1 * b3;
            s20 += a2 * b0; s21 += a2 * b1; s22 += a2 * b2; s23 += a2 * b3;
            s30 += a3 * b0; s31 += a3 * b1; s32 += a3 * b2; s33 += a3 * b3;
          }
          let o = i * columns + j;
          out[o] = s00; out[o + 1] = s01; out[o + 2] = s02; out[o + 3] = s03; o += columns;
          out[o] = s10; out[o + 1] = s11; out[o + 2] = s12; out[o + 3] = s13; o += columns;
          out[o] = s20; out[o + 1] = s21; out[o + 2] = s22; out[o + 3] = s23; o += columns;
          out[o] = s30; out[o + 1] = s31; out[o + 2] = s32; out[o + 3] = s33;
        }
      }
      for (let i = 0; i < rows; i++) { // the rows and columns that no square of four by four covers
        for (let j = i < wholeRows ? wholeColumns : 0; j < columns; j++) {
          let sum = 0;
          for (let k = 0; k < inner; k++) sum += a[i * aRow + k * aInner] * b[k * bInner + j * bColumn];
          out[i * columns + j] = sum;
        }
      }
    };

    // --- The network ----------------------------------------------------------------------------------------------
    // Dense layers with these sizes, as in [784, 128, 64, 10]; ReLU and dropout after all but the last. Weights and
    // biases begin where those of nn.Linear do: at random between −1/√inputs and 1/√inputs.
    const network = (sizes, seed) => {
      const random = new Random(seed);
      const layers = sizes.slice(1).map((outputs, n) => {
        const inputs = sizes[n], bound = Math.fround(1 / Math.sqrt(inputs));
        const draw = (size) => Float32Array.from({ length: size }, () => Math.fround(random.fraction() * 2 * bound) - bound);
        const layer = { inputs, outputs, weights: draw(inputs * outputs), biases: draw(outputs) };
        layer.weightGradients = new Float32Array(inputs * outputs); // ∂L/∂W, a row for each output
        layer.biasGradients = new Float32Array(outputs);
        return layer;
      });
      return { layers };
    };

    const parametersOf = ({ layers }) => layers.flatMap(({ weights, biases }) => [weights, biases]);
    const gradientsOf = ({ layers }) => layers.flatMap(({ weightGradients, biasGradients }) => [weightGradients, biasGradients]);

    // What each layer gives for a minibatch: activations[0] is the inputs, the last one the outputs. With a generator of
    // random numbers, each hidden unit is zeroed with probability `dropout`, and the others are divided by 1 − dropout.
    const forward = ({ layers }, inputs, count, dropout = 0, random = null) => {
      const activations = [inputs];
      layers.forEach(({ inputs: wide, outputs, weights, biases }, n) => {
        const given = activations[n], made = new Float32Array(count * outputs);
        product(made, [count, outputs, wide], given, [wide, 1], weights, [1, wide]); // given · Wᵀ
        const last = n === layers.length - 1, drop = random && dropout > 0;
        for (let at = 0; at < made.length; at++) {
          let value = made[at] + biases[at % outputs];
          if (!last && value < 0) value = 0; // ReLU
          if (!last && drop) value = random.fraction() < dropout ? 0 : value / (1 - dropout);
          made[at] = value;
        }
        activations.push(made);
      });
      return activations;
    };

    // The backward pass: from ∂L/∂outputs to ∂L/∂W and ∂L/∂b of every layer, the last one first, by the chain rule.
    const backward = ({ layers }, activations, outputGradients, count, dropout = 0) => {
      let gradients = outputGradients; // ∂L/∂h of the layer at hand, where h = given · Wᵀ + b; count × outputs
      for (let n = layers.length - 1; n >= 0; n--) {
        const { inputs, outputs, weights, weightGradients, biasGradients } = layers[n], given = activations[n];
        product(weightGradients, [outputs, inputs, count], gradients, [1, outputs], given, [inputs, 1]); // gradientsᵀ · given
        biasGradients.fill(0);
        for (let at = 0; at < gradients.length; at++) biasGradients[at % outputs] += gradients[at];
        if (n === 0) return; // nobody asks how the loss depends on the pixels
        const below = new Float32Array(count * inputs);
        product(below, [count, inputs, outputs], gradients, [outputs, 1], weights, [inputs, 1]); // gradients · W
        // Through dropout and ReLU: what gave 0 passes nothing back, what was divided by 1 − dropout is divided again.
        for (let at = 0; at < below.length; at++) below[at] = given[at] > 0 ? below[at] / (1 - dropout) : 0;
        gradients = below;
      }
    };

    // --- Losses: the mean over the minibatch, and its gradient with respect to the outputs ----------------------------
    const softmax = (logits, start, size) => {
      let highest = -Infinity, sum = 0;
      for (let c = 0; c < size; c++) highest = Math.max(highest, logits[start + c]);
      const raised = Array.from({ length: size }, (_, c) => Math.exp(logits[start + c] - highest));
      for (const one of raised) sum += one;
      return raised.map((one) => one / sum);
    };

    const crossEntropy = (logits, labels) => {
      const count = labels.length, size = logits.length / count, gradients = new Float32Array(logits.length);
      let loss = 0;
      for (let n = 0; n < count; n++) {
        const probabilities = softmax(logits, n * size, size);
        loss -= Math.log(Math.max(probabilities[labels[n]], 1e-300)) / count;
        for (let c = 0; c < size; c++) gradients[n * size + c] = (probabilities[c] - (c === labels[n] ? 1 : 0)) / count;
      }
      return { loss: logits.some(Number.isNaN) ? NaN : loss, gradients };
    };

    const squaredError = (outputs, targets) => {
      const gradients = new Float32Array(outputs.length);
      let loss = 0;
      for (let at = 0; at < outputs.length; at++) {
        const difference = outputs[at] - targets[at];
        loss += difference ** 2 / outputs.length;
        gradients[at] = (2 * difference) / outputs.length;
      }
      return { loss, gradients };
    };

    // --- Optimizers: a function that moves the parameters, given their gradients ------------------------------------
    const sgd = (parameters, rate, momentum = 0) => {
      const velocities = parameters.map(({ length }) => new Float32Array(length));
      return (gradients) => parameters.forEach((values, n) => {
        const velocity = velocities[n], gradient = gradients[n];
        for (let at = 0; at < values.length; at++) {
          velocity[at] = momentum * velocity[at] + gradient[at];
          values[at] -= rate * velocity[at];
        }
      });
    };

    const adam = (parameters, rate, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8) => {
      const means = parameters.map(({ length }) => new Float32Array(length)), squares = parameters.map(({ length }) => new Float32Array(length));
      let step = 0;
      return (gradients) => {
        step += 1;
        const size = rate / (1 - beta1 ** step), root = Math.sqrt(1 - beta2 ** step);
        parameters.forEach((values, n) => {
          const mean = means[n], square = squares[n], gradient = gradients[n];
          for (let at = 0; at < values.length; at++) {
            const slope = gradient[at];
            mean[at] = beta1 * mean[at] + (1 - beta1) * slope;
            square[at] = beta2 * square[at] + (1 - beta2) * slope * slope;
            values[at] -= (size * mean[at]) / (Math.sqrt(square[at]) / root + epsilon);
          }
        });
      };
    };

    const OPTIMIZERS = { sgd: (all, rate) => sgd(all, rate), momentum: (all, rate) => sgd(all, rate, 0.9), adam: (all, rate) => adam(all, rate) };

    live.training = { Random, product, network, parametersOf, gradientsOf, forward, backward, softmax, crossEntropy, squaredError, OPTIMIZERS };
  };

  define((globalThis.fmnistLive ??= {}));
  (globalThis.fmnistLive.forWorker ??= []).push(define); // a worker is given its text, see training_run.js
})();
