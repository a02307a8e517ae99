// Dark unless light is chosen; the choice is kept in this browser.

const KEY = "restyle-theme";

/** Wire the button and restore the last choice. */
export function prepareTheme(button) {
  const use = (light) => {
    document.documentElement.classList.toggle("light", light);
    button.setAttribute("aria-pressed", String(light));
    button.textContent = light ? "Dark" : "Light";
  };
  let kept = null;
  try {
    kept = localStorage.getItem(KEY);
  } catch {
    // a browser that keeps nothing
  }
  use(kept === "light");
  button.addEventListener("click", () => {
    const light = !document.documentElement.classList.contains("light");
    use(light);
    try {
      localStorage.setItem(KEY, light ? "light" : "dark");
    } catch {
      // the choice holds until the page is closed
    }
  });
}
