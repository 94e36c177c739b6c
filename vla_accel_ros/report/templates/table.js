// A heading sorts its table: smallest first, then largest first; what has no value comes last.
for (const table of document.querySelectorAll('.sortable')) {
  const headings = [...table.tHead.rows[1].cells];
  headings.forEach((heading, column) => {
    heading.querySelector('button').addEventListener('click', () => {
      const up = heading.getAttribute('aria-sort') !== 'ascending';
      headings.forEach((other) => other.setAttribute('aria-sort', 'none'));
      heading.setAttribute('aria-sort', up ? 'ascending' : 'descending');
      const value = (row) => {
        const text = row.cells[column].dataset.value;
        const number = text === undefined ? NaN : Number(text);
        return Number.isNaN(number) ? Infinity : (up ? number : -number);
      };
      const rows = [...table.tBodies[0].rows].sort((a, b) => {
        const left = value(a);
        const right = value(b);
        return left === right ? 0 : left - right;
      });
      table.tBodies[0].append(...rows);
    });
  });
}
