// The timeline, the frame under its cursor and the strip of frames beneath.
if (charts.place('timeline')) (() => {
  const { data, element, show } = moments;
  const at = (id) => document.getElementById(id);
  const chart = charts.place('timeline');
  const { data: lines, layout } = charts.figures.timeline;
  const STRIP = 12;
  const now = { episode: 0, method: '', step: 0, playing: 0, marks: [] };

  const traces = () => data.episodes[now.episode].traces;
  const methodsThere = () => data.methods.filter((name) => traces()[name]);
  const trace = () => traces()[now.method];
  const nearest = (times, time) => {
    let low = 0;
    let high = times.length - 1;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (times[middle] <= time) low = middle; else high = middle;
    }
    return time - times[low] <= times[high] - time ? low : high;
  };
  const figure = (value, digits, unit = '') => (
    value === null ? '–' : `${value.toFixed(digits)} ${unit}`.trim());
  const badge = (kind) => {
    const made = element('span', { className: 'kind' }, kind);
    made.style.background = data.kinds[kind];
    return made;
  };

  const drawFacts = () => {
    const t = trace();
    const i = now.step;
    const facts = [
      ['step', `${i + 1} of ${t.time.length}, ${t.time[i].toFixed(2)} s`],
      ['decision', badge(t.kind[i])],
      ['why', t.reason[i] || '–'],
      ['speed', figure(t.speed[i], 3, data.units.speed)],
      ['tokens kept', figure(t.keep_ratio[i], 0, '%')],
      ['call', figure(t.latency_ms[i], 1, 'ms')],
    ];
    if (data.rows.includes('error')) facts.push(['error', figure(t.error[i], 3, data.units.error)]);
    at('facts').replaceChildren(...facts.map(([name, value]) => element('div', {},
      element('dt', {}, name), element('dd', {}, value))));
  };

  // Where methods went over the same frames, what each did on this one.
  const drawBeside = () => {
    const picture = trace().picture[now.step];
    const rows = methodsThere().map((name) => {
      const other = traces()[name];
      const step = other.picture[now.step] === picture ? now.step : other.picture.indexOf(picture);
      return step < 0 ? null : [name, other, step];
    }).filter(Boolean);
    if (rows.length < 2) { at('beside').replaceChildren(); return; }
    const head = element('tr', {}, ...['on this frame', 'decision', 'kept, %', 'call, ms', `error, ${data.units.error}`]
      .map((text) => element('th', { scope: 'col' }, text)));
    const body = rows.map(([name, t, i]) => element('tr', {
      className: name === now.method ? 'now' : '' },
    element('th', { scope: 'row' }, name), element('td', {}, t.kind[i]),
    element('td', {}, figure(t.keep_ratio[i], 0)),
    element('td', {}, figure(t.latency_ms[i], 1)),
    element('td', {}, figure(t.error[i], 3))));
    at('beside').replaceChildren(element('table', { className: 'beside' },
      element('caption', { className: 'hidden' }, 'What each method did on this frame'),
      element('thead', {}, head), element('tbody', {}, ...body)));
  };

  // Plotly takes longer than a held key to repeat: one line a picture of the screen is enough.
  let line = null;
  const moveLine = (time) => {
    if (line === null) requestAnimationFrame(() => {
      Plotly.relayout(chart, { 'shapes[0].x0': line, 'shapes[0].x1': line });
      line = null;
    });
    line = time;
  };

  const go = (step) => {
    const t = trace();
    now.step = Math.max(0, Math.min(t.time.length - 1, step));
    show(at('views'), t, now.step, at('dim').checked);
    drawFacts();
    drawBeside();
    at('cursor').value = now.step;
    const time = t.time[now.step];
    at('cursor').setAttribute('aria-valuetext', `${time.toFixed(2)} s, ${t.kind[now.step]}`);
    now.marks.forEach(([button, from, to]) => button.setAttribute(
      'aria-current', String(now.step >= from && now.step < to)));
    moveLine(time);
  };

  const drawStrip = () => {
    const t = trace();
    const count = Math.min(STRIP, t.time.length);
    const first = (place) => Math.round((place * t.time.length) / count);
    now.marks = [...Array(count).keys()].map((place) => {
      const step = first(place);
      const views = element('div', { className: 'views' });
      show(views, t, step, at('dim').checked);
      const button = element('button', { type: 'button' }, views,
        `${t.time[step].toFixed(2)} s `, badge(t.kind[step]));
      button.addEventListener('click', () => go(step));
      return [button, step, first(place + 1)];
    });
    at('strip').replaceChildren(...now.marks.map(([button]) => button));
  };

  const drawLines = () => {
    const reference = now.method === data.reference ? null : traces()[data.reference];
    const update = lines.map((line, index) => {
      const ghost = line.name === 'reference';
      const field = ghost ? lines[index + 1].name : line.name;
      const source = ghost ? reference : trace();
      if (!source) return { ...line, x: [], y: [] };
      const filled = { ...line, x: source.time, y: source[field] };
      if (line.mode === 'lines') return filled;
      const color = source.kind.map((kind) => data.kinds[kind]);
      return { ...filled, marker: { ...line.marker, color } };
    });
    charts.draw(chart, update, layout);
    at('ghost').textContent = reference ? ` Dotted: ${data.reference}.` : '';
  };

  const draw = () => {
    const t = trace();
    at('cursor').max = t.time.length - 1;
    at('instruction').textContent = data.episodes[now.episode].instruction;
    at('outcome').textContent = t.outcome;
    now.step = Math.min(now.step, t.time.length - 1);
    Object.assign(layout.shapes[0], { x0: t.time[now.step], x1: t.time[now.step] });
    drawLines();
    drawStrip();
    go(now.step);
  };

  const fill = (select, names) => select.replaceChildren(
    ...names.map((name, value) => element('option', { value }, name)));
  const chooseEpisode = (index) => {
    now.episode = index;
    const names = methodsThere();
    if (!names.includes(now.method)) now.method = data.best.find((name) => names.includes(name));
    fill(at('method'), names);
    at('method').value = names.indexOf(now.method);
    draw();
  };

  const stop = () => {
    clearInterval(now.playing);
    now.playing = 0;
    at('play').textContent = 'Play';
    at('play').setAttribute('aria-pressed', 'false');
  };
  const play = () => {
    if (now.playing) { stop(); return; }
    const { time } = trace();
    if (now.step === time.length - 1) go(0);
    const each = time.length > 1 ? (time[time.length - 1] - time[0]) / (time.length - 1) : 0.1;
    at('play').textContent = 'Pause';
    at('play').setAttribute('aria-pressed', 'true');
    now.playing = setInterval(() => {
      if (now.step >= trace().time.length - 1) stop(); else go(now.step + 1);
    }, Math.max(40, 1000 * Math.min(each, 0.5)));
  };

  at('episode').addEventListener('change', (event) => chooseEpisode(Number(event.target.value)));
  at('method').addEventListener('change', (event) => {
    now.method = methodsThere()[Number(event.target.value)];
    draw();
  });
  at('cursor').addEventListener('input', (event) => go(Number(event.target.value)));
  at('dim').addEventListener('change', () => { drawStrip(); go(now.step); });
  at('play').addEventListener('click', play);
  addEventListener('keydown', (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    // Fields and wide tables have a use of their own for these keys.
    if (!step || event.ctrlKey || event.altKey || event.metaKey
        || event.target.closest('input, select, .wide')) return;
    event.preventDefault();
    go(now.step + step * (event.shiftKey ? 10 : 1));
  });

  fill(at('episode'), data.episodes.map((episode) => episode.name));
  chooseEpisode(0);
  chart.on('plotly_hover', (event) => {
    const step = nearest(trace().time, event.xvals ? event.xvals[0] : event.points[0].x);
    if (step !== now.step) go(step);
  });
})();
