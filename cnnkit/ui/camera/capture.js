// Takes images class by class and holds them until a data set is made of them.
//
// data.side: pixels of an image; data.most: images in all; data.least: images of a class from which
// it counts; data.burst: images of a burst; data.sets: own sets that can be added to, each with
// "name", "title" and "classes"; data.done, data.failed: the `token` of what was sent last.
// Trigger "shots": {token, title, add_to, classes: [{name, images}]}, images as JPEG in Base64.
const RATES = [2, 5, 10]; // images a second
const LONGEST = 120; // seconds of a video
const ENDLESS = 1e7; // seconds: beyond the end of a video that does not say its length

export default function ({ data, parentElement, setTriggerValue }) {
  const capture = (parentElement.cnnkitCapture ??= new Capture(parentElement));
  capture.update(data, setTriggerValue);
  return () => {
    capture.close();
    parentElement.cnnkitCapture = null;
  };
}

// Shots outlive the element: whoever looks at another page finds them again.
function kept() {
  return (globalThis.cnnkitShots ??= { classes: [newClass(), newClass()], title: "", rate: 5 });
}

function newClass() {
  return { name: "", shots: [] };
}

class Capture {
  constructor(root) {
    this.kept = kept();
    this.sending = "";
    this.trouble = make("p", { className: "trouble", role: "alert" });
    this.camera = new Camera((words) => this.say(words));
    this.cards = make("div", { className: "cards" });
    this.balance = make("p", { className: "hint", "aria-live": "polite" });
    this.power = make("button", { className: "wide", onclick: () => this.switchCamera() });
    this.device = make("select", {
      "aria-label": "Camera",
      hidden: true,
      onchange: () => this.camera.start(this.device.value),
    });
    this.rate = make(
      "select",
      { onchange: () => (this.kept.rate = Number(this.rate.value)) },
      ...RATES.map((rate) => make("option", { value: rate, textContent: `${rate} images a second` })),
    );
    this.rate.value = this.kept.rate;
    this.title = make("input", {
      placeholder: "Camera",
      maxLength: 60,
      value: this.kept.title,
      oninput: () => (this.kept.title = this.title.value),
    });
    this.target = make("select", { onchange: () => this.chooseSet() });
    this.send = make("button", { className: "primary", onclick: () => this.submit() });
    root.append(make("div", { className: "capture" }, this.left(), this.right()));
    this.drawPower();
  }

  left() {
    return make(
      "div",
      { className: "left" },
      this.camera.video,
      this.power,
      this.device,
      make("label", {}, "Recording, and frames of a video", this.rate),
      this.trouble,
    );
  }

  right() {
    const add = make("button", { textContent: "Add a class", onclick: () => this.addClass() });
    return make(
      "div",
      { className: "right" },
      this.cards,
      add,
      this.balance,
      make(
        "div",
        { className: "row" },
        make("label", {}, "Data set", this.target),
        (this.named = make("label", {}, "Call it", this.title)),
        this.send,
      ),
    );
  }

  update(data, setTriggerValue) {
    this.data = data;
    this.trigger = setTriggerValue;
    if (this.sending && data.done === this.sending) {
      this.sending = "";
      this.kept.classes.forEach((one) => (one.shots = []));
    } else if (this.sending && data.failed === this.sending) {
      this.sending = "";
    }
    this.drawSets();
    this.drawCards();
  }

  close() {
    this.release();
    this.camera.stop();
  }

  say(words) {
    this.trouble.textContent = words;
  }

  // The camera

  async switchCamera() {
    if (this.camera.stream) this.camera.stop();
    else if (await this.camera.start()) await this.drawDevices();
    this.drawPower();
  }

  drawPower() {
    const on = Boolean(this.camera.stream);
    this.power.textContent = on ? "Stop the camera" : "Start the camera";
    this.power.classList.toggle("primary", !on);
  }

  async drawDevices() {
    const devices = await this.camera.devices();
    const now = this.camera.stream?.getVideoTracks()[0]?.getSettings().deviceId;
    this.device.replaceChildren(
      ...devices.map((one, k) =>
        make("option", { value: one.deviceId, textContent: one.label || `Camera ${k + 1}` }),
      ),
    );
    this.device.value = now ?? "";
    this.device.hidden = devices.length < 2;
  }

  // Taking images

  count() {
    return this.kept.classes.reduce((sum, one) => sum + one.shots.length, 0);
  }

  take(one, video = this.camera.video) {
    if (this.count() >= this.data.most) {
      this.release();
      this.say(`${this.data.most} images are the most of one data set. Delete some first.`);
      return false;
    }
    const image = this.camera.square(this.data.side, video);
    if (image !== one.shots.at(-1)) one.shots.push(image); // a camera may repeat its last frame
    this.drawCard(one);
    return true;
  }

  // Take images until `release`, or until so many were taken.
  hold(one, most = Infinity) {
    if (!this.camera.stream) return this.say("Start the camera first.");
    this.release();
    this.say("");
    const end = one.shots.length + most;
    const next = () => {
      if (this.camera.ready) this.take(one);
      if (one.shots.length >= end) this.release();
    };
    this.timer = setInterval(next, 1000 / this.kept.rate);
    next();
  }

  release() {
    clearInterval(this.timer);
  }

  async takeVideo(one, file) {
    const video = make("video", { muted: true, playsInline: true, preload: "auto" });
    const address = URL.createObjectURL(file);
    this.say(`Reading ${file.name} …`);
    try {
      await reached(video, "loadeddata", () => (video.src = address));
      if (!Number.isFinite(video.duration)) {
        await reached(video, "seeked", () => (video.currentTime = ENDLESS));
      }
      const end = Math.min(Number.isFinite(video.duration) ? video.duration : video.currentTime, LONGEST);
      for (let time = 0; time < end; time += 1 / this.kept.rate) {
        await reached(video, "seeked", () => (video.currentTime = time));
        if (!this.take(one, video)) return;
      }
      this.say("");
    } catch {
      this.say(`The browser cannot play ${file.name}. Save it as MP4 or WebM.`);
    } finally {
      video.removeAttribute("src");
      URL.revokeObjectURL(address);
    }
  }

  // Classes

  addClass(name = "") {
    this.kept.classes.push({ ...newClass(), name });
    this.drawCards();
  }

  nameOf(one) {
    return one.name.trim() || `Class ${this.kept.classes.indexOf(one) + 1}`;
  }

  drawCards() {
    const known = new Set(this.kept.classes);
    for (const card of [...this.cards.children]) if (!known.has(card.of)) card.remove();
    for (const one of this.kept.classes) {
      const card = [...this.cards.children].find((other) => other.of === one);
      this.cards.append(card ?? this.newCard(one));
      this.drawCard(one);
    }
  }

  newCard(one) {
    const card = make("section", { className: "card", of: one });
    card.input = make("input", {
      maxLength: 60,
      value: one.name,
      "aria-label": "Name of the class",
      oninput: () => {
        one.name = card.input.value;
        this.drawBalance();
      },
    });
    card.count = make("span", { className: "count" });
    card.bar = make("i");
    card.shots = make("div", { className: "shots" });
    card.shown = [];
    const file = make("input", {
      type: "file",
      accept: "video/*",
      hidden: true,
      onchange: () => file.files.length && this.takeVideo(one, file.files[0]).then(() => (file.value = "")),
    });
    card.append(
      make(
        "div",
        { className: "row" },
        card.input,
        card.count,
        make("button", {
          className: "quiet",
          textContent: "×",
          title: "Remove this class and its images",
          "aria-label": "Remove this class",
          onclick: () => this.removeClass(one),
        }),
      ),
      make("div", { className: "bar" }, card.bar),
      make(
        "div",
        { className: "row" },
        this.holdButton(one),
        make("button", {
          textContent: `Burst of ${this.data.burst}`,
          onclick: () => this.hold(one, this.data.burst),
        }),
        make("button", { textContent: "Video …", onclick: () => file.click() }),
        file,
      ),
      card.shots,
    );
    return card;
  }

  holdButton(one) {
    const begin = (event) => {
      event.preventDefault();
      button.setPointerCapture?.(event.pointerId);
      this.hold(one);
    };
    const key = (event) => event.key === " " || event.key === "Enter";
    const button = make("button", {
      className: "primary",
      textContent: "Hold to record",
      onpointerdown: begin,
      onpointerup: () => this.release(),
      onpointercancel: () => this.release(),
      onkeydown: (event) => key(event) && !event.repeat && this.hold(one),
      onkeyup: (event) => key(event) && this.release(),
      onblur: () => this.release(),
      oncontextmenu: (event) => event.preventDefault(), // a long press on a telephone
    });
    return button;
  }

  removeClass(one) {
    this.release();
    this.kept.classes = this.kept.classes.filter((other) => other !== one);
    this.drawCards();
    this.drawBalance();
  }

  drawCard(one) {
    const card = [...this.cards.children].find((other) => other.of === one);
    card.input.placeholder = this.nameOf(one);
    card.shown = card.shown.filter((thumb) => one.shots.includes(thumb.image) || thumb.remove());
    for (const image of one.shots.slice(card.shown.length)) {
      const thumb = make("button", {
        className: "shot",
        image,
        title: "Delete this image",
        "aria-label": `Delete image ${card.shown.length + 1} of ${this.nameOf(one)}`,
        onclick: () => {
          one.shots = one.shots.filter((other) => other !== image);
          this.drawCard(one);
        },
      });
      thumb.style.backgroundImage = `url(data:image/jpeg;base64,${image})`;
      card.shown.push(thumb);
      card.shots.append(thumb);
    }
    this.drawBalance();
  }

  drawBalance() {
    const counts = this.kept.classes.map((one) => one.shots.length);
    const most = Math.max(1, ...counts);
    [...this.cards.children].forEach((card) => {
      const count = card.of.shots.length;
      card.count.textContent = `${count} ${count === 1 ? "image" : "images"}`;
      card.bar.style.width = `${(100 * count) / most}%`;
    });
    const missing = this.missing();
    this.send.textContent = this.sending ? "Making the data set …" : "Make the data set";
    this.send.disabled = Boolean(this.sending || missing);
    this.balance.textContent = missing || this.unbalanced(counts, most);
  }

  missing() {
    if (this.target.value) return this.count() ? "" : "Take some images first.";
    const enough = this.kept.classes.filter((one) => one.shots.length >= this.data.least);
    if (enough.length >= 2) return "";
    return `Take images of at least two classes, ${this.data.least} or more of each; thirty are good.`;
  }

  unbalanced(counts, most) {
    const least = Math.min(...counts);
    if (most <= 2 * least) return `${this.count()} images. Click one to delete it.`;
    const rare = this.nameOf(this.kept.classes[counts.indexOf(least)]);
    const often = this.nameOf(this.kept.classes[counts.indexOf(most)]);
    return `“${often}” has ${most} images and “${rare}” ${least}: take more of “${rare}”.`;
  }

  // The data set

  drawSets() {
    const chosen = this.target.value;
    const options = [{ name: "", title: "A new one" }, ...this.data.sets];
    this.target.replaceChildren(
      ...options.map((one) => make("option", { value: one.name, textContent: one.title })),
    );
    this.target.value = options.some((one) => one.name === chosen) ? chosen : "";
    this.named.hidden = Boolean(this.target.value);
  }

  // Offer the classes of the set that is added to.
  chooseSet() {
    const set = this.data.sets.find((one) => one.name === this.target.value);
    if (set) {
      this.kept.classes = this.kept.classes.filter((one) => one.shots.length || one.name.trim());
      const names = new Set(this.kept.classes.map((one) => one.name.trim()));
      for (const name of set.classes) if (!names.has(name)) this.addClass(name);
    }
    this.drawSets();
    this.drawCards();
    this.drawBalance();
  }

  submit() {
    this.release();
    this.sending = `${Date.now()}-${Math.random()}`;
    this.drawBalance();
    const classes = this.kept.classes.filter((one) => one.shots.length);
    this.trigger("shots", {
      token: this.sending,
      title: this.title.value,
      add_to: this.target.value,
      classes: classes.map((one) => ({ name: this.nameOf(one), images: one.shots })),
    });
  }
}

// Wait for an event of a video after doing something; a video that cannot be played ends it.
function reached(video, event, act) {
  return new Promise((resolve, reject) => {
    video.addEventListener(event, resolve, { once: true });
    video.addEventListener("error", reject, { once: true });
    act();
  });
}
