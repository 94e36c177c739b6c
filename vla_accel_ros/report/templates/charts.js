// The charts, in the look of the page; each is drawn when the reader comes near it.
const charts = (() => {
  const read = (id) => JSON.parse(document.getElementById(id).textContent);
  const figures = read('figures-data');
  const looks = read('looks-data');
  const places = [...document.querySelectorAll('[data-figure]')];
  const ZOOMED = ['pareto', 'timeline'];
  const drawn = new Set();

  // Plotly writes into the layout, so it gets its own.
  const draw = (place, data, given) => {
    const layout = { ...structuredClone(given), template: looks[theme.name] };
    drawn.add(place);
    return Plotly.react(place, data, layout, {
      responsive: true, displaylogo: false, displayModeBar: ZOOMED.includes(place.dataset.figure),
      modeBarButtons: [['toImage', 'zoom2d', 'pan2d', 'resetScale2d']] });
  };
  const drawAsGiven = (place) => {
    const { data, layout } = figures[place.dataset.figure];
    if (!drawn.has(place)) draw(place, data, layout);
  };
  // The viewer draws the timeline, which has nothing to show before.
  const still = places.filter((place) => place.dataset.figure !== 'timeline');
  const near = new IntersectionObserver((entries) => entries.forEach((entry) => {
    if (!entry.isIntersecting) return;
    near.unobserve(entry.target);
    drawAsGiven(entry.target);
  }), { rootMargin: '800px' });
  still.forEach((place) => near.observe(place));

  theme.onChange((name) => {
    for (const place of drawn) Plotly.relayout(place, { template: looks[name] });
  });
  addEventListener('beforeprint', () => still.forEach(drawAsGiven));
  return {
    figures, draw, place: (name) => places.find((place) => place.dataset.figure === name) };
})();
