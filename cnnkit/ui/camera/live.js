// Asks a network about what the camera sees, again and again.
//
// data.side: pixels of a frame; data.network: of whom is asked; data.map: whether Grad-CAM is
// wanted; data.answer: {run, number, bars: [{name, share}], error, map, words} for the frame of
// that number. Trigger "frame": {run, number, image}, the image as JPEG in Base64.
// A frame is taken when the answer to the last one is there: none is ever queued.
const MOST = 15; // frames a second
const MOST_WHILE_STARTING = 2; // until the first map is there, whose process needs the cores
const PATIENCE = 5000; // ms after which an answer is not awaited any more
const RECENT = 3000; // ms over which answers are counted

export default function ({ data, parentElement, setTriggerValue }) {
  const live = (parentElement.cnnkitLive ??= new Live(parentElement));
  live.update(data, setTriggerValue);
  return () => {
    live.close();
    parentElement.cnnkitLive = null;
  };
}

class Live {
  constructor(root) {
    this.run = `${Date.now()}-${Math.random()}`; // answers to another page's frames are not ours
    this.number = 0;
    this.waiting = 0; // number of the frame whose answer is awaited; 0: none
    this.answered = []; // times of the last answers
    this.trouble = make("p", { className: "trouble", role: "alert" });
    this.camera = new Camera((words) => (this.trouble.textContent = words));
    this.power = make("button", { className: "wide", onclick: () => this.switchOn() });
    this.rate = make("p", { className: "hint rate" });
    this.bars = make("div", { className: "bars", role: "list", "aria-label": "Predicted probabilities" });
    this.map = make("img", { className: "view", alt: "Grad-CAM over the frame it explains", hidden: true });
    this.words = make("p", { className: "hint" });
    const left = make("div", { className: "left" }, this.camera.video, this.power, this.trouble);
    this.aside = make("div", { className: "aside" }, this.map, this.words);
    const right = make("div", { className: "right" }, this.bars, this.rate);
    root.append(make("div", { className: "capture" }, left, this.aside, right));
    this.watch = setInterval(() => this.look(), 500);
    this.drawPower();
  }

  update(data, setTriggerValue) {
    this.data = data;
    this.trigger = setTriggerValue;
    const { answer } = data;
    this.aside.hidden = !data.map;
    if (!data.map) this.map.hidden = true;
    if (!data.map) this.words.textContent = "";
    if (!answer || answer.run !== this.run || answer.number !== this.waiting) return;
    this.waiting = 0;
    this.show(answer);
    const most = data.map && this.map.hidden ? MOST_WHILE_STARTING : MOST;
    const rest = 1000 / most - (performance.now() - this.asked);
    setTimeout(() => this.ask(), Math.max(0, rest));
  }

  close() {
    clearInterval(this.watch);
    this.camera.stop();
  }

  async switchOn() {
    if (this.camera.stream) this.camera.stop();
    else if (await this.camera.start()) this.ask();
    this.waiting = 0;
    this.answered = [];
    this.drawPower();
    this.ask();
  }

  drawPower() {
    const on = Boolean(this.camera.stream);
    this.power.textContent = on ? "Stop" : "Start the camera";
    this.power.classList.toggle("primary", !on);
    if (!on) this.rate.textContent = "";
  }

  // A page that is not to be seen asks nothing; an answer that does not come is not awaited.
  look() {
    if (this.waiting && performance.now() - this.asked > PATIENCE) this.waiting = 0;
    this.ask();
  }

  ask() {
    if (this.waiting || !this.camera.ready || document.hidden) return;
    this.waiting = ++this.number;
    this.asked = performance.now();
    const image = this.camera.square(this.data.side);
    this.trigger("frame", { run: this.run, number: this.number, image });
  }

  show(answer) {
    if (!this.camera.stream) return;
    this.trouble.textContent = answer.error ?? "";
    if (answer.error) return;
    this.drawBars(answer.bars);
    if (answer.words && this.data.map) this.words.textContent = answer.words;
    if (answer.map) {
      this.map.src = `data:image/jpeg;base64,${answer.map}`;
      this.map.hidden = !this.data.map;
    }
    const now = performance.now();
    this.answered = [...this.answered.filter((time) => now - time < RECENT), now];
    const span = now - this.answered[0];
    if (span > 500) {
      const rate = (1000 * (this.answered.length - 1)) / span;
      this.rate.textContent = `${rate.toFixed(1)} answers a second`;
      this.rate.dataset.rate = rate.toFixed(2);
    }
    this.rate.dataset.answers = Number(this.rate.dataset.answers ?? 0) + 1;
  }

  drawBars(bars) {
    while (this.bars.children.length > bars.length) this.bars.lastChild.remove();
    while (this.bars.children.length < bars.length) this.bars.append(newBar());
    bars.forEach(({ name, share }, k) => {
      const row = this.bars.children[k];
      row.name.textContent = name;
      row.fill.style.width = `${100 * share}%`;
      row.share.textContent = `${(100 * share).toFixed(0)} %`;
      row.dataset.name = name;
      row.dataset.share = share;
      row.classList.toggle("best", share === Math.max(...bars.map((one) => one.share)));
    });
  }
}

function newBar() {
  const row = make("div", { className: "answer", role: "listitem" });
  row.name = make("span");
  row.fill = make("i");
  row.share = make("span", { className: "count" });
  row.append(row.name, make("div", { className: "bar" }, row.fill), row.share);
  return row;
}
