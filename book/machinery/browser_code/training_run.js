// A run: data, settings, and what is measured on the way. And the Web Worker in which runs are made, so that the page
// stays free. Settings have the names of the choices in generated/training_data.py.
(() => {
  const define = (live) => {
    const PIXELS = 784, MEASURED = 1000; // images of each set that are measured: the first ones
    const { Random, network, parametersOf, gradientsOf, forward, backward, softmax, crossEntropy, squaredError, OPTIMIZERS } = live.training;

    const scaled = Float32Array.from({ length: 256 }, (_, byte) => byte / 255);
    // The images with these numbers, as pixels from 0 to 1.
    const gather = (bytes, numbers) => {
      const made = new Float32Array(numbers.length * PIXELS);
      numbers.forEach((number, n) => {
        for (let at = 0; at < PIXELS; at++) made[n * PIXELS + at] = scaled[bytes[number * PIXELS + at]];
      });
      return made;
    };
    const range = (size) => Uint32Array.from({ length: size }, (_, n) => n);
    const inClasses = (labels) => range(labels.length).sort((a, b) => labels[a] - labels[b] || a - b);

    // The sets by their names, each with its pixels and its labels, as bytes; they stand one after the other.
    const unpack = ({ images, labels }) => {
      const pixels = live.readImages(images, Object.values(labels).flat().length);
      let at = 0;
      return Object.fromEntries(Object.entries(labels).map(([name, numbers]) => {
        const own = pixels.subarray(PIXELS * at, PIXELS * (at + numbers.length));
        at += numbers.length;
        return [name, { pixels: own, labels: Uint8Array.from(numbers) }];
      }));
    };

    // data: the sets train, val and test. An autoencoder is the same with its inputs as targets.
    const start = (data, settings) => {
      const { optimizer, learning_rate: rate, batch_size: batchSize, dropout, seed } = settings;
      const autoencoder = settings.latent_dim !== undefined;
      const size = Math.min(settings.train_size, data.train.labels.length), perEpoch = Math.ceil(size / batchSize);
      let labels = data.train.labels.slice(0, size);
      if (settings.labels === "mixed_labels") {
        const order = new Random(seed).order(size), before = labels;
        labels = before.map((_, n) => before[order[n]]);
      }
      const hidden = autoencoder ? [settings.latent_dim, PIXELS] : [settings.hidden_1, settings.hidden_2, 10].filter((units) => units > 0);
      const model = network([PIXELS, ...hidden], seed), parameters = parametersOf(model), gradients = gradientsOf(model);
      const update = OPTIMIZERS[optimizer](parameters, rate);
      let order = settings.order === "by_class" ? inClasses(labels) : range(size);
      let random = new Random(seed), step = 0, milliseconds = 0;
      let running = { loss: 0, images: 0 }; // since the last measurement

      const lossOf = (outputs, inputs, numbers, its) =>
        (autoencoder ? squaredError(outputs, inputs) : crossEntropy(outputs, numbers.map((number) => its[number])));

      // One step with one minibatch: its loss.
      const train = () => {
        const began = performance.now(), inEpoch = step % perEpoch;
        if (inEpoch === 0 && settings.order === "shuffled") {
          random = new Random((seed * 2 ** 20 + Math.floor(step / perEpoch) + 1) % 2 ** 32); // as training.Batches does
          order = random.order(size);
        }
        const numbers = order.subarray(inEpoch * batchSize, (inEpoch + 1) * batchSize), count = numbers.length;
        const inputs = gather(data.train.pixels, numbers);
        const activations = forward(model, inputs, count, dropout, random);
        const { loss, gradients: outputGradients } = lossOf(activations.at(-1), inputs, numbers, labels);
        backward(model, activations, outputGradients, count, dropout);
        update(gradients);
        step += 1;
        running = { loss: running.loss + loss * count, images: running.images + count };
        milliseconds += performance.now() - began;
        return loss;
      };

      // The loss and the accuracy of a set with dropout off, its confusion matrix, and the hidden units that never rise above 0.
      const measured = ({ pixels }, its) => {
        const numbers = range(Math.min(MEASURED, its.length)), count = numbers.length, inputs = gather(pixels, numbers);
        const activations = forward(model, inputs, count), outputs = activations.at(-1);
        const { loss } = lossOf(outputs, inputs, numbers, its);
        if (autoencoder) return { loss };
        const confusion = new Array(100).fill(0);
        for (let n = 0; n < count; n++) {
          const logits = outputs.subarray(10 * n, 10 * n + 10);
          confusion[10 * its[n] + logits.indexOf(Math.max(...logits))] += 1;
        }
        const right = confusion.filter((_, at) => at % 11 === 0).reduce((sum, one) => sum + one);
        const dead = activations.slice(1, -1).map((layer) => {
          const units = layer.length / count, alive = new Uint8Array(units);
          layer.forEach((value, at) => { if (value > 0) alive[at % units] = 1; });
          return units - alive.reduce((sum, one) => sum + one, 0);
        });
        return { loss, accuracy: right / count, confusion, dead };
      };

      const measure = () => {
        const trained = measured(data.train, labels), validated = measured(data.val, data.val.labels);
        const shown = data.test.labels.length, outputs = forward(model, gather(data.test.pixels, range(shown)), shown).at(-1);
        const found = { train: trained, val: validated, step, epoch: step / perEpoch, milliseconds };
        found.running = running.images ? running.loss / running.images : null;
        running = { loss: 0, images: 0 };
        if (autoencoder) found.reconstructions = Uint8Array.from(outputs, (value) => Math.round(255 * Math.min(1, Math.max(0, value))));
        else found.probabilities = Array.from({ length: shown }, (_, n) => softmax(outputs, 10 * n, 10));
        found.weights = model.layers[0].weights.slice(0, 64 * PIXELS);
        return found;
      };

      const place = () => ({ step, epoch: step / perEpoch, milliseconds });
      return { train, measure, place, model, perEpoch, lastStep: perEpoch * settings.num_epochs };
    };

    live.runs = { start, unpack };
  };

  // Told what to do by messages, the worker trains for a tenth of a second, sends what it has, and looks for new messages.
  const work = (live) => {
    const SLICE = 100;
    let data = null, run = null, running = false, waiting = false;
    const send = (kind, more = {}) => postMessage({ kind, ...run?.place(), ...more });
    const pause = () => { running = false; };

    const slice = (steps = Infinity) => {
      waiting = false;
      const began = performance.now(), each = Math.max(1, Math.round(run.perEpoch / 2)); // steps between measurements
      for (let n = 0, measured = false; n < steps && !measured && run.place().step < run.lastStep; n++) {
        const loss = run.train(), { step } = run.place();
        if (!Number.isFinite(loss)) { pause(); send("diverged", { loss: `${loss}` }); return; }
        if (step % each === 0 || step === run.lastStep || steps === 1) { send("measured", run.measure()); measured = true; }
        if (performance.now() - began > SLICE) break;
      }
      if (run.place().step >= run.lastStep) { pause(); send("finished"); return; }
      send("progress");
      again();
    };
    const again = () => {
      if (!running || waiting) return;
      waiting = true;
      setTimeout(slice, 0);
    };

    const orders = {
      open({ packed }) {
        data = live.runs.unpack(packed);
        const small = Object.entries(data).filter(([, { labels }]) => labels.length <= 10);
        send("opened", { pictures: Object.fromEntries(small.map(([name, { pixels }]) => [name, pixels.slice()])) });
      },
      reset({ settings }) {
        pause();
        run = live.runs.start(data, settings);
        send("measured", run.measure());
      },
      run() { running = true; again(); },
      pause,
      step() { pause(); slice(1); },
    };
    onmessage = ({ data: message }) => orders[message.order](message);
  };

  const live = (globalThis.fmnistLive ??= {});
  define(live);
  live.workerText = () => [...live.forWorker, define, work]
    .map((part) => `(${part})(globalThis.fmnistLive ??= {});`).join("\n");
})();
