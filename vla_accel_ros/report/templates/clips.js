// Short films as flip-books of the page's own pictures: nothing to decode but JPEG.
for (const place of document.querySelectorAll('.clip')) {
  const clip = moments.data.clips[Number(place.dataset.clip)];
  const canvas = place.querySelector('canvas');
  const button = place.querySelector('button');
  const slider = place.querySelector('input');
  const brush = canvas.getContext('2d');
  const load = (source) => new Promise((resolve, reject) => {
    const image = new Image();
    image.onload = () => resolve(image);
    image.onerror = reject;
    image.src = source;
  });
  const loaded = new Map();
  const frame = (index) => {
    if (!loaded.has(index)) {
      const picture = clip.pictures[index];
      loaded.set(index, Promise.all(moments.data.pictures[picture].map(
        (_, camera) => load(moments.uri(picture, camera)))));
    }
    return loaded.get(index);
  };
  const draw = async (index) => {
    const images = await frame(index);
    // A later picture may have been asked for meanwhile.
    if (Number(slider.value) !== index) return;
    const height = Math.max(...images.map((image) => image.naturalHeight));
    const widths = images.map((image) => image.naturalWidth * (height / image.naturalHeight));
    canvas.width = widths.reduce((sum, width) => sum + width, 0);
    canvas.height = height;
    let left = 0;
    images.forEach((image, camera) => {
      brush.drawImage(image, left, 0, widths[camera], height);
      left += widths[camera];
    });
    place.dataset.drawn = index;
  };
  const go = (index) => { slider.value = index; draw(index); };
  let timer = 0;
  const stop = () => {
    clearInterval(timer);
    timer = 0;
    button.textContent = 'Play';
    button.setAttribute('aria-pressed', 'false');
  };
  button.addEventListener('click', () => {
    if (timer) { stop(); return; }
    button.textContent = 'Pause';
    button.setAttribute('aria-pressed', 'true');
    if (Number(slider.value) === clip.pictures.length - 1) go(0);
    timer = setInterval(() => {
      const next = Number(slider.value) + 1;
      if (next < clip.pictures.length) go(next); else stop();
    }, 1000 / clip.fps);
  });
  slider.addEventListener('input', () => draw(Number(slider.value)));
  draw(0);
}
