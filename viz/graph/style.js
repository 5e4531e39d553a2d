// How the graph looks: Streamlit's theme variables in, a Cytoscape style out. Colours are [r, g, b].

const ICONS = {
  deployment: '<path d="M8 1.8 14 5 8 8.2 2 5zM2 8l6 3.2L14 8M2 11l6 3.2 6-3.2"/>',
  statefulset: '<ellipse cx="8" cy="3.6" rx="5.5" ry="2"/><path d="M2.5 3.6v8.8c0 1.1 2.5 2 5.5 2s5.5-.9 5.5-2V3.6M2.5 8c0 1.1 2.5 2 5.5 2s5.5-.9 5.5-2"/>',
  daemonset: '<rect x="2" y="2" width="5" height="5" rx="1"/><rect x="9" y="2" width="5" height="5" rx="1"/><rect x="2" y="9" width="5" height="5" rx="1"/><rect x="9" y="9" width="5" height="5" rx="1"/>',
  job: '<circle cx="8" cy="8" r="6"/><path d="M8 4.5V8l2.5 2"/>',
  pod: '<path d="M8 1.8 13.5 5v6L8 14.2 2.5 11V5zM2.5 5 8 8.2 13.5 5M8 8.2v6"/>',
  service: '<circle cx="8" cy="3.4" r="1.9"/><circle cx="3.4" cy="12.4" r="1.9"/><circle cx="12.6" cy="12.4" r="1.9"/><path d="M7.1 5.1 4.3 10.7M8.9 5.1l2.8 5.6M5.3 12.4h5.4"/>',
  node: '<rect x="2" y="2.5" width="12" height="4.5" rx="1"/><rect x="2" y="9" width="12" height="4.5" rx="1"/><path d="M4.5 4.8h.1M4.5 11.3h.1"/>',
  external: '<circle cx="8" cy="8" r="6"/><path d="M2 8h12M8 2c2 2 2.6 4 2.6 6S10 12 8 14c-2-2-2.6-4-2.6-6S6 4 8 2"/>',
  unknown: '<path d="M5.6 6a2.5 2.5 0 1 1 3.6 2.2c-.8.4-1.2.9-1.2 1.8M8 12.6v.1"/><circle cx="8" cy="8" r="6.5" stroke-dasharray="2.4 1.8"/>',
  namespace: '<path d="M2 4.5h4l1.4 1.6H14v6.4a1 1 0 0 1-1 1H3a1 1 0 0 1-1-1z"/>',
};

const scratch = document.createElement("canvas").getContext("2d", { willReadFrequently: true });

/** Any CSS colour as numbers; the browser is the parser. */
function channels(colour, fallback) {
  scratch.fillStyle = fallback;
  scratch.fillStyle = colour.trim();
  scratch.clearRect(0, 0, 1, 1);
  scratch.fillRect(0, 0, 1, 1);
  return [...scratch.getImageData(0, 0, 1, 1).data.slice(0, 3)];
}

const rgb = (colour) => `rgb(${colour.map(Math.round).join(",")})`;
const mix = (from, to, share) => from.map((value, i) => value + (to[i] - value) * share);
const luminance = ([r, g, b]) => (0.2126 * r + 0.7152 * g + 0.0722 * b) / 255;

function readTheme(element) {
  const style = getComputedStyle(element);
  const read = (name, fallback) => channels(style.getPropertyValue(name) || fallback, fallback);
  const paper = read("--st-background-color", "#ffffff");
  const dark = luminance(paper) < 0.5;
  return {
    dark,
    paper,
    ink: read("--st-text-color", dark ? "#fafafa" : "#31333f"),
    accent: read("--st-primary-color", "#0d9488"),
    danger: dark ? [255, 108, 108] : [214, 40, 57],
    warning: dark ? [250, 178, 84] : [202, 110, 14],
    safe: dark ? [96, 182, 240] : [0, 98, 168],
    odd: dark ? [222, 150, 214] : [146, 62, 138],
    font: style.getPropertyValue("--st-font") || "sans-serif",
  };
}

/** The colour of a namespace; one without a hue is grey. */
function tint(theme, hue) {
  if (hue === null || hue === undefined) return mix(theme.ink, theme.paper, 0.35);
  return channels(`hsl(${hue}, ${theme.dark ? 55 : 52}%, ${theme.dark ? 64 : 42}%)`, "#888888");
}

function icon(name, colour) {
  const paths = ICONS[name] ?? ICONS.pod;
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="32" height="32" viewBox="0 0 16 16" fill="none" stroke="${rgb(colour)}" stroke-width="1.3" stroke-linecap="round" stroke-linejoin="round">${paths}</svg>`;
  return `data:image/svg+xml,${encodeURIComponent(svg)}`;
}

const plain = (theme) => mix(theme.ink, theme.paper, theme.dark ? 0.48 : 0.5);

/** What a policy does to an edge. Colours are apart for every kind of eye, and each state has its own dashes and end. */
const STATES = {
  allowed: { colour: (theme) => theme.safe, end: "triangle", fill: "filled", dashes: [] },
  denied: { colour: (theme) => theme.danger, end: "tee", fill: "filled", dashes: [] },
  "left-out": { colour: (theme) => theme.odd, end: "tee", fill: "filled", dashes: [2, 5] },
  undecided: { colour: (theme) => theme.warning, end: "diamond", fill: "hollow", dashes: [11, 4, 2, 4] },
  unused: { colour: plain, end: "triangle", fill: "hollow", dashes: [8, 6] },
};

function edgeColour(theme, edge) {
  const [state, failedShare] = [STATES[edge.data("state")], edge.data("failedShare")];
  if (state) return state.colour(theme);
  if (failedShare >= 0.1) return theme.danger;
  return failedShare > 0 ? theme.warning : plain(theme);
}

const ENDS = {
  triangle: '<path d="M24 1.5 31 5.5 24 9.5z"/>',
  tee: '<path d="M30 .5v10"/>',
  diamond: '<path d="M23 5.5 27 2 31 5.5 27 9z"/>',
};

/** A few pixels of a line or frame as the picture has it, for the legend. */
function sample(theme, name) {
  const state = STATES[name];
  const colour = rgb(state?.colour(theme) ?? { warning: theme.warning, danger: theme.danger }[name] ?? plain(theme));
  const dashes = state?.dashes.join(" ") ?? "";
  const line = `<path d="M1 5.5h${{ triangle: 23, tee: 29, diamond: 22 }[state?.end] ?? 30}" stroke-dasharray="${dashes}"/>`;
  const shape = {
    frame: '<rect x="3" y="1" width="26" height="9" rx="4" stroke-width="1.2" stroke-dasharray="3 2.5"/>',
    width: '<path d="M1 5.5h12" stroke-width="1.5"/><path d="M17 5.5h14" stroke-width="5"/>',
  }[name];
  const end = state ? `<g fill="${state.fill === "filled" ? colour : "none"}">${ENDS[state.end]}</g>` : "";
  const holder = document.createElement("template");
  holder.innerHTML = `<svg width="32" height="11" viewBox="0 0 32 11" fill="none" stroke="${colour}" stroke-width="2" aria-hidden="true">${shape ?? line + end}</svg>`;
  return holder.content.firstChild;
}

function graphStyle(theme) {
  const colourOf = (element) => tint(theme, element.data("hue"));
  return [
    { selector: "node, edge", style: { "font-family": theme.font, color: rgb(theme.ink), "overlay-opacity": 0 } },
    {
      selector: "node.group",
      style: {
        shape: "round-rectangle",
        "corner-radius": 14,
        "background-color": (node) => rgb(mix(theme.paper, colourOf(node), theme.dark ? 0.11 : 0.07)),
        "border-width": 1,
        "border-color": (node) => rgb(mix(theme.paper, colourOf(node), theme.dark ? 0.45 : 0.4)),
        padding: "data(padding)",
        "min-width": "data(innerWidth)",
        "min-height": "data(innerHeight)",
        "min-height-bias-top": "100%",
        "min-height-bias-bottom": "0%",
        label: "data(label)",
        color: (node) => rgb(mix(theme.ink, colourOf(node), 0.6)),
        "font-size": 15,
        "font-weight": 600,
        "text-valign": "top",
        "text-margin-y": 29,
        "text-wrap": "ellipsis",
        "text-max-width": "data(width)",
        events: "no",
      },
    },
    { selector: "node.group.outside", style: { "border-style": "dashed" } },
    {
      selector: "node.card",
      style: {
        shape: "round-rectangle",
        "corner-radius": 9,
        width: "data(width)",
        height: "data(height)",
        "background-color": (node) => rgb(mix(theme.paper, theme.dark ? colourOf(node) : [255, 255, 255], theme.dark ? 0.2 : 1)),
        "border-width": 1.4,
        "border-color": (node) => rgb(mix(theme.paper, colourOf(node), theme.dark ? 0.75 : 0.65)),
        "background-image": (node) => icon(node.data("icon"), colourOf(node)),
        "background-width": 17,
        "background-height": 17,
        "background-position-x": 12,
        "background-position-y": "50%",
        label: "data(label)",
        "font-size": 13.5,
        "font-weight": 500,
        "text-valign": "center",
        "text-margin-x": 11,
        "text-wrap": "ellipsis",
        "text-max-width": (node) => `${node.data("width") - 42}px`,
        "min-zoomed-font-size": 5,
      },
    },
    { selector: "node.external", style: { shape: "round-rectangle", "corner-radius": 20, "border-style": "dashed" } },
    { selector: "node.unknown", style: { shape: "cut-rectangle", "border-style": "dashed" } },
    {
      selector: "edge",
      style: {
        width: "data(width)",
        "line-color": (edge) => rgb(edgeColour(theme, edge)),
        "target-arrow-color": (edge) => rgb(edgeColour(theme, edge)),
        "target-arrow-shape": "triangle",
        "arrow-scale": 0.85,
        opacity: 0.9,
        "curve-style": "unbundled-bezier",
        "control-point-distances": "data(bend)",
        "control-point-weights": 0.5,
        "edge-distances": "node-position",
      },
    },
    {
      selector: "edge[along]",
      style: {
        "control-point-distances": (edge) => edge.data("aside"),
        "control-point-weights": (edge) => edge.data("along"),
        "edge-distances": "endpoints",
        "source-endpoint": "90deg",
        "target-endpoint": "270deg",
      },
    },
    ...Object.entries(STATES).map(([name, { end, fill, dashes }]) => ({
      selector: `edge[state = "${name}"]`,
      style: {
        "target-arrow-shape": end,
        "target-arrow-fill": fill,
        "line-style": dashes.length ? "dashed" : "solid",
        ...(dashes.length ? { "line-dash-pattern": dashes } : {}),
        ...(name === "denied" ? { width: (edge) => Math.max(edge.data("width"), 3) } : {}),
        "arrow-scale": end === "tee" ? 1.15 : 0.95,
      },
    })),
    {
      selector: "edge:loop",
      style: { "curve-style": "bezier", "loop-direction": "0deg", "loop-sweep": "50deg", "control-point-step-size": 46 },
    },
    {
      selector: "edge.labelled",
      style: {
        label: "data(label)",
        "font-size": 11,
        color: rgb(mix(theme.ink, theme.paper, 0.2)),
        "text-background-color": rgb(theme.paper),
        "text-background-opacity": 0.92,
        "text-background-padding": 2,
        "text-background-shape": "round-rectangle",
        "min-zoomed-font-size": 6,
      },
    },
    { selector: 'edge.labelled[state = "denied"]', style: { color: rgb(theme.danger), "font-weight": 600 } },
    { selector: ".faded", style: { opacity: 0.13 } },
    { selector: "node.group.faded", style: { opacity: 0.5 } },
    { selector: "edge.near", style: { opacity: 1, color: rgb(theme.ink), "z-index": 5 } },
    {
      selector: "node.chosen",
      style: { "border-width": 2.4, "border-color": rgb(theme.accent), "underlay-color": rgb(theme.accent), "underlay-opacity": 0.22, "underlay-padding": 6, "underlay-shape": "round-rectangle" },
    },
    {
      selector: "edge.chosen",
      style: { opacity: 1, "underlay-color": rgb(theme.accent), "underlay-opacity": 0.28, "underlay-padding": 5, "z-index": 9 },
    },
  ];
}
