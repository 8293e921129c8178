// The table in front of this script gets pages and headers that sort. Without it the table stands as it is.
(function (data) {
  var script = document.currentScript, box = script && script.parentNode;
  var table = box && box.querySelector("table.dataframe");
  if (!table) return;
  var body = table.tBodies[0], heads = table.tHead.rows[0].cells, types = data.numeric;
  var order = data.rows.map(function (_, at) { return at; }), keys = {};
  var page = 0, size = data.size, by = -1, down = false;
  var line = "1px solid var(--jp-border-color1, currentColor)";

  function made(tag, text, style) {
    var element = document.createElement(tag);
    if (text) element.textContent = text;
    if (style) element.style.cssText = style;
    return element;
  }
  function grouped(number) { return String(number).replace(/\B(?=(\d{3})+$)/g, ","); }
  function key(text, numeric) {
    if (text === null || !numeric) return text;
    // Beyond 15 digits a double is not exact.
    if (/^-?\d{16,}$/.test(text)) return BigInt(text);
    var number = text === "inf" ? Infinity : text === "-inf" ? -Infinity : Number(text);
    return number !== number ? null : number;
  }
  function sort() {
    if (by >= 0 && !keys[by]) {
      keys[by] = data.rows.map(function (row) { return key(row[by], types[by]); });
    }
    var of = keys[by];
    order.sort(function (one, other) {
      if (by >= 0) {
        var a = of[one], b = of[other];
        // What has no value stands last, whichever way the others are sorted.
        if (a === null || b === null) {
          if (a !== b) return a === null ? 1 : -1;
        } else if (a < b || a > b) {
          return (a < b) === down ? 1 : -1;
        }
      }
      return one - other;
    });
  }
  function show() {
    var last = Math.max(Math.ceil(data.rows.length / size) - 1, 0);
    page = Math.min(Math.max(page, 0), last);
    var from = page * size, to = Math.min(from + size, data.rows.length);
    body.textContent = "";
    order.slice(from, to).forEach(function (at) {
      var row = body.insertRow();
      data.rows[at].forEach(function (text, column) {
        var cell = row.insertCell();
        cell.style.textAlign = types[column] ? "right" : "left";
        if (text === null) cell.appendChild(made("i", "null")); else cell.textContent = text;
      });
    });
    Array.prototype.forEach.call(heads, function (head, at) {
      head.setAttribute("aria-sort", at !== by ? "none" : down ? "descending" : "ascending");
      head.lastChild.lastChild.textContent = at !== by ? "" : down ? " ▼" : " ▲";
    });
    var held = data.rows.length < data.total ? "the first " : "";
    var text = "rows " + grouped(from + 1) + " to " + grouped(to) + " of " + held + grouped(data.rows.length);
    if (held) {
      text += "; the table has " + grouped(data.total) + " rows";
      if (by >= 0) text += ", and only these " + grouped(data.rows.length) + " are sorted";
    }
    said.textContent = text;
    back.disabled = first.disabled = page === 0;
    next.disabled = end.disabled = page === last;
  }
  function button(text, label, act) {
    var made_ = made("button", text, "font:inherit;color:inherit;background:transparent;border:" + line +
      ";border-radius:2px;padding:0 .5em;margin-right:.25em;cursor:pointer");
    made_.type = "button";
    made_.title = label;
    made_.setAttribute("aria-label", label);
    made_.onclick = function () { act(); show(); };
    return made_;
  }

  Array.prototype.forEach.call(heads, function (head, at) {
    var name = made("button", head.textContent,
      "font:inherit;color:inherit;background:transparent;border:0;padding:0;margin:0;cursor:pointer");
    name.type = "button";
    name.title = "sort by this column";
    name.appendChild(made("span"));
    name.onclick = function () {
      // Upwards, downwards, as it was.
      if (by !== at) { by = at; down = false; } else if (!down) { down = true; } else { by = -1; }
      page = 0;
      sort();
      show();
    };
    head.textContent = "";
    head.setAttribute("scope", "col");
    head.appendChild(name);
  });
  var bar = made("div", "", "margin:.25em 0");
  bar.setAttribute("role", "group");
  bar.setAttribute("aria-label", "pages of this table");
  // JupyterLab would take keys such as Enter for its own.
  bar.setAttribute("data-lm-suppress-shortcuts", "true");
  table.tHead.setAttribute("data-lm-suppress-shortcuts", "true");
  var first = button("«", "first page", function () { page = 0; });
  var back = button("‹", "page before", function () { page -= 1; });
  var next = button("›", "next page", function () { page += 1; });
  var end = button("»", "last page", function () { page = Infinity; });
  var sizes = made("select", "", "font:inherit;color:var(--jp-ui-font-color1, inherit);" +
    "background:var(--jp-layout-color1, transparent);border:" + line + ";border-radius:2px;margin:0 .5em");
  sizes.setAttribute("aria-label", "rows on a page");
  [size, 25, 50, 100].forEach(function (number, at, all) {
    if (all.indexOf(number) !== at) return;
    var option = made("option", number + " rows");
    option.value = number;
    sizes.appendChild(option);
  });
  sizes.onchange = function () {
    // The first row on the page stays on it.
    var top = page * size;
    size = Number(sizes.value);
    page = Math.floor(top / size);
    show();
  };
  var said = made("small");
  said.setAttribute("role", "status");
  [first, back, next, end, sizes, said].forEach(function (element) { bar.appendChild(element); });
  box.insertBefore(bar, script);
  show();
})
