// Light or dark as the system wishes, unless one is chosen; the choice is kept in this browser.

const KEY = "restyle-theme";

/** Wire the button and restore the last choice. */
export function prepareTheme(button) {
  const wish = matchMedia("(prefers-color-scheme: light)");
  let chosen = null;
  try {
    chosen = localStorage.getItem(KEY);
  } catch {
    // a browser that keeps nothing
  }
  const isLight = () => (chosen ? chosen === "light" : wish.matches);
  const show = () => {
    document.documentElement.classList.toggle("light", chosen === "light");
    document.documentElement.classList.toggle("dark", chosen === "dark");
    button.textContent = isLight() ? "Dark" : "Light";
  };
  show();
  wish.addEventListener("change", show);
  button.addEventListener("click", () => {
    chosen = isLight() ? "dark" : "light";
    show();
    try {
      localStorage.setItem(KEY, chosen);
    } catch {
      // the choice holds until the page is closed
    }
  });
}
