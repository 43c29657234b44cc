// What both components of this folder share: the visitor's camera, and elements.

const TROUBLE = {
  NotAllowedError: "This page may not use the camera. Allow it beside the address, then start again.",
  NotFoundError: "There is no camera here. Connect one, or take the frames of a video.",
  NotReadableError: "Another program uses the camera. Close that program, then start again.",
};
const INSECURE =
  "Browsers give a page the camera only over https, or on the machine itself. Ask whoever runs " +
  "this server for an address that begins with https.";

// An element with properties, attributes (those with a hyphen, and role) and children.
function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.includes("-") || name === "role") element.setAttribute(name, value);
    else element[name] = value;
  }
  element.append(...children.filter(Boolean));
  return element;
}

// The camera, shown in a video element; `say` is called with what is wrong, "" when nothing is.
class Camera {
  constructor(say) {
    this.say = say;
    this.video = make("video", { muted: true, playsInline: true, className: "view" });
    this.canvas = document.createElement("canvas");
    this.stream = null;
  }

  get ready() {
    // Until it has a frame, what is drawn of it is black.
    return Boolean(this.stream) && this.video.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA;
  }

  async start(device = "") {
    this.stop();
    this.say("");
    if (!navigator.mediaDevices?.getUserMedia) return this.fail(INSECURE);
    const choice = device ? { deviceId: { exact: device } } : { facingMode: "environment" };
    try {
      const video = { ...choice, width: { ideal: 640 }, height: { ideal: 480 } };
      this.stream = await navigator.mediaDevices.getUserMedia({ audio: false, video });
    } catch (error) {
      return this.fail(TROUBLE[error.name] ?? `The camera cannot be used: ${error.message}.`);
    }
    this.video.srcObject = this.stream;
    await this.video.play().catch(() => {});
    return true;
  }

  fail(words) {
    this.stop();
    this.say(words);
    return false;
  }

  stop() {
    for (const track of this.stream?.getTracks() ?? []) track.stop();
    this.stream = this.video.srcObject = null;
  }

  async devices() {
    const all = (await navigator.mediaDevices?.enumerateDevices?.()) ?? [];
    return all.filter((one) => one.kind === "videoinput");
  }

  // The middle square of a video's frame as a JPEG in Base64.
  square(side, video = this.video) {
    const short = Math.min(video.videoWidth, video.videoHeight);
    const [left, top] = [(video.videoWidth - short) / 2, (video.videoHeight - short) / 2];
    this.canvas.width = this.canvas.height = side;
    this.canvas.getContext("2d").drawImage(video, left, top, short, short, 0, 0, side, side);
    return this.canvas.toDataURL("image/jpeg", 0.9).split(",")[1];
  }
}
