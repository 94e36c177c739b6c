// The charts, in the look of the page.
const charts = (() => {
  const read = (id) => JSON.parse(document.getElementById(id).textContent);
  const figures = read('figures-data');
  const looks = read('looks-data');
  const places = [...document.querySelectorAll('[data-figure]')];
  const ZOOMED = ['pareto', 'timeline'];
  for (const place of places) {
    const { data, layout } = figures[place.dataset.figure];
    layout.template = looks[theme.name];
    const zooms = ZOOMED.includes(place.dataset.figure);
    Plotly.newPlot(place, data, layout, { responsive: true, displaylogo: false,
      displayModeBar: zooms, modeBarButtons: [['toImage', 'zoom2d', 'pan2d', 'resetScale2d']] });
  }
  theme.onChange((name) => {
    for (const place of places) Plotly.relayout(place, { template: looks[name] });
  });
  return { place: (name) => places.find((place) => place.dataset.figure === name) };
})();
