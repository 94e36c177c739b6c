// Frames with their kept tokens: each picture is in the page once, whatever the methods.
const moments = (() => {
  const data = JSON.parse(document.getElementById('moments-data').textContent);
  const DROPPED = [0, 0, 0, 184];

  const uri = (picture, camera) => `data:image/jpeg;base64,${data.pictures[picture][camera]}`;
  const bits = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const isKept = (mask, token) => (mask[token >> 3] >> (7 - (token & 7))) & 1;

  // One pixel a token, which the style sheet stretches over the picture.
  const shade = (canvas, mask, camera) => {
    canvas.width = camera.columns;
    canvas.height = camera.rows;
    const pixels = new ImageData(camera.columns, camera.rows);
    let kept = 0;
    for (let token = 0; token < camera.rows * camera.columns; token += 1) {
      if (isKept(mask, token)) kept += 1;
      else pixels.data.set(DROPPED, 4 * token);
    }
    canvas.getContext('2d').putImageData(pixels, 0, 0);
    return kept;
  };

  const element = (name, properties = {}, ...children) => {
    const made = Object.assign(document.createElement(name), properties);
    made.append(...children);
    return made;
  };

  const tokensOf = (trace, step, place) => {
    const camera = data.cameras[place];
    const all = camera.rows * camera.columns;
    // A view for people, which the policy does not have.
    if (!all) return '';
    if (trace.latency_ms[step] === null && trace.keep_ratio[step] === null) {
      return 'the model was not asked';
    }
    if (!trace.kept[step].length) return `all ${all} tokens kept`;
    return null;
  };

  // Fill `place` with the views of one step.
  const show = (place, trace, step, dim) => {
    const figures = data.cameras.map((camera, index) => {
      const picture = trace.picture[step];
      const image = element('img', {
        src: uri(picture, index), decoding: 'sync',
        alt: `${camera.name} at ${trace.time[step].toFixed(2)} s`,
      });
      const stack = element('div', { className: 'stack' }, image);
      let words = tokensOf(trace, step, index);
      if (words === null) {
        const canvas = element('canvas', { hidden: !dim });
        canvas.setAttribute('aria-hidden', 'true');
        const kept = shade(canvas, bits(trace.kept[step][index]), camera);
        stack.append(canvas);
        words = `${kept} of ${camera.rows * camera.columns} tokens kept`;
      }
      // What is said of a view begins a line of its own rather than break in its middle.
      const said = words ? [element('span', { className: 'words' }, words)] : [];
      const caption = element('figcaption', {}, words ? `${camera.name}: ` : camera.name, ...said);
      return element('figure', { className: 'view' }, stack, caption);
    });
    place.replaceChildren(...figures);
  };

  return { data, uri, show, element };
})();
