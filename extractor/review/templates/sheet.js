document.querySelectorAll(".one").forEach(oneLetter);
