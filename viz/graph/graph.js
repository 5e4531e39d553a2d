// The service graph as a Streamlit component: positions come from Python, clicks go back there.
// Names come from the wire, so they only ever reach the canvas, or the page as textContent.

const ALWAYS_LABELLED = 26;
const LABEL_ZOOM = 1.25;
const graphs = new WeakMap();

class ServiceGraph {
  constructor(root) {
    this.root = root;
    this.canvas = root.querySelector(".canvas");
    this.tooltip = root.querySelector(".tooltip");
    this.untouched = true;
    this.cy = globalThis.cytoscape({
      container: this.canvas,
      layout: { name: "preset" },
      autoungrabify: true,
      autounselectify: true,
      boxSelectionEnabled: false,
      minZoom: 0.08,
      maxZoom: 3,
    });
    root.cy = this.cy;
    this.listen();
  }

  listen() {
    const { cy, root } = this;
    cy.on("tap", (event) => this.choose(event.target === cy ? null : event.target.id()));
    cy.on("mouseover", "node.card, edge", (event) => { this.hover(event.target); this.moveTooltip(event.renderedPosition); });
    cy.on("mouseout", "node.card, edge", () => this.hover(null));
    cy.on("mousemove", (event) => this.moveTooltip(event.renderedPosition));
    cy.on("zoom", () => this.label());
    cy.on("dragpan", () => { this.untouched = false; });
    // The wheel scrolls the page; with Ctrl or a pinch it zooms.
    this.canvas.addEventListener("wheel", (event) => {
      if (!event.ctrlKey && !event.metaKey) event.stopImmediatePropagation();
      else this.untouched = false;
    }, { capture: true });
    // Cytoscape remembers where it is in the window, and is not told when what is around it scrolls.
    for (const event of ["mousemove", "mousedown", "touchstart"]) {
      this.canvas.addEventListener(event, () => cy.renderer().invalidateContainerClientCoordsCache(), { capture: true, passive: true });
    }
    root.querySelector(".closer").onclick = () => this.zoom(1.3);
    root.querySelector(".farther").onclick = () => this.zoom(1 / 1.3);
    root.querySelector(".whole").onclick = () => this.fit();
    this.resizing = new ResizeObserver(() => { cy.resize(); if (this.untouched) this.fit(); });
    this.resizing.observe(this.canvas);
  }

  update(data, setStateValue) {
    this.report = (id) => setStateValue("selection", id);
    this.canvas.style.height = `${data.height}px`;
    const theme = readTheme(this.root);
    const look = JSON.stringify(theme);
    const drawing = JSON.stringify([data.groups, data.nodes, data.edges]);
    if (drawing !== this.drawing) this.draw(data);
    if (look !== this.look || drawing !== this.drawing) this.cy.style(graphStyle(theme));
    if (drawing !== this.drawing) this.fit();
    this.root.querySelector(".keys").replaceChildren(...data.legend.map(([name, text]) => legendEntry(theme, name, text)));
    this.marked = data.marked;
    [this.look, this.drawing] = [look, drawing];
    this.chosen = this.cy.getElementById(data.selection ?? "").nonempty() ? data.selection : null;
    this.show();
    this.root.dataset.ready = "true";
  }

  draw({ groups, nodes, edges }) {
    this.cy.batch(() => {
      this.cy.elements().remove();
      this.cy.add([
        ...groups.map((group) => ({ group: "nodes", data: group, classes: `group ${group.outside ? "outside" : ""}` })),
        ...nodes.map((node) => ({ group: "nodes", data: node, position: { x: node.x, y: node.y }, classes: `card ${node.kind}` })),
        ...edges.map((edge) => ({ group: "edges", data: edge })),
      ]);
    });
    this.untouched = true;
    this.hovered = null;
    this.tooltip.hidden = true;
  }

  fit() {
    this.untouched = true;
    this.cy.fit(undefined, 22);
    if (this.cy.zoom() > 1.2) { this.cy.zoom(1.2); this.cy.center(); }
    this.label();
  }

  zoom(factor) {
    this.untouched = false;
    const middle = { x: this.cy.width() / 2, y: this.cy.height() / 2 };
    this.cy.zoom({ level: this.cy.zoom() * factor, renderedPosition: middle });
  }

  choose(id) {
    this.chosen = id;
    this.show();
    this.report(id);
  }

  hover(element) {
    this.hovered = element?.id() ?? null;
    this.canvas.style.cursor = element ? "pointer" : "";
    this.show();
    this.tooltip.hidden = !element;
    if (element) this.tooltip.replaceChildren(...element.data("note").map(line));
  }

  moveTooltip({ x, y }) {
    const { tooltip, canvas } = this;
    const left = Math.min(x + 16, canvas.clientWidth - tooltip.offsetWidth - 8);
    const below = y + 18 + tooltip.offsetHeight < canvas.clientHeight;
    tooltip.style.transform = `translate(${Math.max(left, 4)}px, ${below ? y + 18 : y - tooltip.offsetHeight - 12}px)`;
  }

  /** What is hovered stands out, or else what is chosen, with all it is connected to. */
  show() {
    const { cy } = this;
    cy.batch(() => {
      cy.elements().removeClass("faded near chosen");
      const chosen = cy.getElementById(this.chosen ?? "");
      const centre = this.hovered ? cy.getElementById(this.hovered) : chosen;
      chosen.addClass("chosen");
      const marked = cy.edges().filter((edge) => this.marked.includes(edge.id()));
      if (centre.empty() && marked.empty()) return;
      const near = centre.empty() ? marked.union(marked.connectedNodes())
        : centre.isNode() ? centre.closedNeighborhood() : centre.union(centre.connectedNodes());
      cy.elements("node.card, edge").difference(near).addClass("faded");
      near.addClass("near");
    });
    this.label();
  }

  label() {
    const { cy } = this;
    const all = cy.zoom() >= LABEL_ZOOM || (cy.edges().length <= ALWAYS_LABELLED && cy.edges("[along]").empty());
    cy.batch(() => cy.edges().forEach((edge) => { edge.toggleClass("labelled", all ? !edge.hasClass("faded") : edge.hasClass("near")); }));
  }

  close() {
    this.resizing.disconnect();
    this.cy.destroy();
  }
}

/** A word of our own beside the line or frame that it is about. */
function legendEntry(theme, name, text) {
  const entry = line(text);
  entry.prepend(sample(theme, name));
  return entry;
}

function line(text) {
  const element = document.createElement("div");
  element.textContent = text;
  return element;
}

export default function ({ parentElement, data, setStateValue }) {
  const root = parentElement.querySelector(".tailrace-graph");
  if (!graphs.has(root)) graphs.set(root, new ServiceGraph(root));
  graphs.get(root).update(data, setStateValue);
  return () => {
    graphs.get(root)?.close();
    graphs.delete(root);
  };
}
