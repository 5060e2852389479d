// Loads the list anew when messages have come, unless somebody is typing or has selected text.
"use strict";

const shown = Number(document.currentScript.dataset.total);

function busy() {
  const typing = document.activeElement && document.activeElement.matches("input, select");
  return typing || String(window.getSelection()) !== "";
}

async function look() {
  try {
    const answer = await fetch("/inbox/count.json");
    const { total } = await answer.json();
    if (total !== shown && !busy()) {
      location.reload();
      return;
    }
  } catch {
    // The cloud is being restarted: keep what is shown and look again.
  }
  setTimeout(look, 2000);
}

setTimeout(look, 2000);
