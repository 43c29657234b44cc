// Shows the image of the point under the mouse: Plotly's own boxes hold text alone.
//
// data.container: key of the Streamlit container with the charts; data.image: Base64 of one image
// with all thumbnails, row by row; data.type: its MIME type; data.columns: thumbnails in a row;
// data.width: pixels of one on the screen; data.sharp: whether single pixels are to be seen.
const LOOK = 400; // ms between two looks for charts that were drawn anew
const AWAY = 18; // pixels from the mouse

export default function ({ data, parentElement }) {
  const state = (parentElement.cnnkitHover ??= { chart: null, on: null, tip: null, image: "" });
  state.data = data;
  if (!state.tip) {
    state.tip = document.createElement("div");
    state.tip.className = "cnnkit-thumbnail";
    Object.assign(state.tip.style, {
      position: "fixed", display: "none", pointerEvents: "none", zIndex: 100000,
      borderRadius: "6px", border: "2px solid #8893A4", background: "#FFFFFF",
      boxShadow: "0 4px 16px rgba(0, 0, 0, .35)",
    });
    document.body.appendChild(state.tip);
  }
  draw(state);
  const timer = setInterval(() => attach(state), LOOK);
  attach(state);
  return () => {
    clearInterval(timer);
    state.tip?.remove();
    state.tip = state.on = null;
    if (state.url) URL.revokeObjectURL(state.url);
    state.url = state.image = "";
    state.chart = null;
  };
}

function draw(state) {
  const { data, tip } = state;
  if (state.image === data.image) return;
  state.image = data.image;
  if (state.url) URL.revokeObjectURL(state.url);
  const bytes = Uint8Array.from(atob(data.image), (letter) => letter.charCodeAt(0));
  state.url = URL.createObjectURL(new Blob([bytes], { type: data.type }));
  Object.assign(tip.style, {
    width: `${data.width}px`,
    height: `${data.width}px`,
    backgroundImage: `url(${state.url})`,
    backgroundSize: `${data.width * data.columns}px auto`,
    imageRendering: data.sharp ? "pixelated" : "auto",
  });
}

function attach(state) {
  const chart = document.querySelector(`.st-key-${state.data.container} .js-plotly-plot`);
  // A chart that is drawn from nothing again has another `on`, and none of our listeners.
  if (!chart?.on || (chart === state.chart && chart.on === state.on)) return;
  state.chart = chart;
  state.on = chart.on;
  chart.on("plotly_hover", (event) => show(state, event));
  chart.on("plotly_unhover", () => hide(state));
  chart.addEventListener("mouseleave", () => hide(state));
}

function show(state, { points, event }) {
  const { tip, data } = state;
  const place = points.find((point) => Array.isArray(point.customdata))?.customdata[0];
  if (!tip || place === undefined) return hide(state);
  const [column, row] = [place % data.columns, Math.floor(place / data.columns)];
  tip.style.backgroundPosition = `${-column * data.width}px ${-row * data.width}px`;
  const size = data.width + AWAY + 8;
  const left = event.clientX + AWAY + size > window.innerWidth ? event.clientX - size : event.clientX + AWAY;
  const top = event.clientY + AWAY + size > window.innerHeight ? event.clientY - size : event.clientY + AWAY;
  Object.assign(tip.style, { display: "block", left: `${left}px`, top: `${top}px` });
  tip.dataset.place = place;
}

function hide(state) {
  if (state.tip) state.tip.style.display = "none";
}
