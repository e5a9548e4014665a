package style

// termColour is the colour of a term: as text, as a filled block, and of text on that block.
type termColour struct{ text, fill, onFill string }

// palette lists the colours of a theme by token, in hex or as the number of one of a
// terminal's sixteen. palettes_test.go holds that text is readable on its background and
// that tokens which stand side by side can be told apart.
type palette struct {
	// background and text replace the terminal's own colours where there is no terminal:
	// in SVG files and recordings.
	background, text string
	band             string // behind captions

	// Lines may be faint. Text never is.
	dim, faint, accent, good, warn, bad string
	append, vote, reply, other          string
	// Neighbours differ in lightness as well, so consecutive terms can be told apart
	// without seeing colours.
	terms [TermColours]termColour
}

var darkPalette = palette{
	background: "#0e131a", text: "#dde3ec", band: "#1b2736",
	dim: "#9aa3b2", faint: "#515a68", accent: "#5cc8ff", good: "#8bd69a", warn: "#ffc457", bad: "#ff8585",
	append: "#5cc8ff", vote: "#ffb3f0", reply: "#8bd69a", other: "#c9b8ff",
	terms: [TermColours]termColour{
		{"#7db4e8", "#1f3d5e", "#a8d1f7"},
		{"#f0d58a", "#62501f", "#ffe7ab"},
		{"#c39ae2", "#40295c", "#d9b8f5"},
		{"#9fe0b0", "#2c5c3b", "#bdf5cb"},
		{"#ee9a7e", "#5a2b1c", "#ffbda5"},
		{"#a6e3ee", "#205863", "#bff3fc"},
	},
}

var lightPalette = palette{
	background: "#ffffff", text: "#1f252e", band: "#e4ecf5",
	dim: "#5a6270", faint: "#b4bac4", accent: "#0063b1", good: "#0f6b2f", warn: "#955f00", bad: "#c4202f",
	append: "#0063b1", vote: "#a0208c", reply: "#0f6b2f", other: "#6541c9",
	terms: [TermColours]termColour{
		{"#1f5f9e", "#d3e5f8", "#123f6d"},
		{"#8a6100", "#ecd08a", "#4d3600"},
		{"#6f3a9c", "#f0e6fa", "#4d2275"},
		{"#176b38", "#a9dcb6", "#0b4520"},
		{"#93360e", "#fadbce", "#7a2c10"},
		{"#13727f", "#a2d8e1", "#07434c"},
	},
}

var contrastPalette = palette{
	background: "#000000", text: "#ffffff", band: "#1f2f5c",
	dim: "#e0e0e0", faint: "#a0a0a0", accent: "#00e5ff", good: "#7dff7d", warn: "#ffe000", bad: "#ff8080",
	append: "#00e5ff", vote: "#ff9cff", reply: "#7dff7d", other: "#ffffff",
	terms: [TermColours]termColour{
		{"#9cc8ff", "#0040c0", "#ffffff"},
		{"#ffe66b", "#ffe000", "#000000"},
		{"#e0a8ff", "#7a00b8", "#ffffff"},
		{"#9cffb0", "#5cff80", "#000000"},
		{"#ffb08a", "#a83200", "#ffffff"},
		{"#a0ffff", "#70ffff", "#000000"},
	},
}

var lightContrastPalette = palette{
	background: "#ffffff", text: "#000000", band: "#ffe680",
	dim: "#303030", faint: "#808080", accent: "#0000b8", good: "#004d14", warn: "#6e3b00", bad: "#a80000",
	append: "#0000b8", vote: "#8a0078", reply: "#004d14", other: "#000000",
	terms: [TermColours]termColour{
		{"#003a9e", "#0040c0", "#ffffff"},
		{"#5c4200", "#ffe000", "#000000"},
		{"#5a008c", "#7a00b8", "#ffffff"},
		{"#004d1a", "#5cff80", "#000000"},
		{"#8a2a00", "#a83200", "#ffffff"},
		{"#004a52", "#70ffff", "#000000"},
	},
}

// The colour-blind palettes follow Okabe and Ito (Color Universal Design, 2008), whose
// colours stay apart under red-green blindness.
var colourBlindPalette = palette{
	background: "#0e131a", text: "#dde3ec", band: "#1b2736",
	dim: "#9aa3b2", faint: "#515a68", accent: "#56b4e9", good: "#3cb8b0", warn: "#f0e442", bad: "#ff8a3d",
	append: "#56b4e9", vote: "#f0e442", reply: "#e6ebf2", other: "#ee9f5e",
	terms: [TermColours]termColour{
		{"#5aa6dd", "#0a5f96", "#ffffff"},
		{"#f0e442", "#f0e442", "#1a1a1a"},
		{"#d58ab4", "#8a3f68", "#ffffff"},
		{"#9adcff", "#7cc9ee", "#1a1a1a"},
		{"#ee8a4a", "#a34700", "#ffffff"},
		{"#e8c8dc", "#e8c8dc", "#1a1a1a"},
	},
}

var lightColourBlindPalette = palette{
	background: "#ffffff", text: "#1f252e", band: "#e4ecf5",
	dim: "#5a6270", faint: "#b4bac4", accent: "#0058c4", good: "#006d78", warn: "#7a6800", bad: "#861c00",
	append: "#0058c4", vote: "#7a6800", reply: "#1f252e", other: "#861c00",
	terms: [TermColours]termColour{
		{"#0050b0", "#0072b2", "#ffffff"},
		{"#7a6800", "#f0e442", "#1a1a1a"},
		{"#5b2d8a", "#6a3d9a", "#ffffff"},
		{"#006d63", "#7fd1c2", "#1a1a1a"},
		{"#8c1a00", "#a34700", "#ffffff"},
		{"#5c6674", "#d3d8df", "#1a1a1a"},
	},
}

// The palettes of sixteen colours use only those that are readable in every terminal's own
// choice of them. Blue on black is not, nor is green on white.
var dark16Palette = palette{
	text: "15", band: "4",
	dim: "7", faint: "8", accent: "14", good: "10", warn: "11", bad: "9",
	append: "14", vote: "13", reply: "10", other: "15",
	terms: [TermColours]termColour{
		{"13", "5", "15"}, {"15", "7", "0"}, {"14", "4", "15"}, {"10", "2", "0"}, {"9", "1", "15"}, {"6", "6", "0"},
	},
}

var light16Palette = palette{
	text: "0", band: "7",
	faint: "8", accent: "4", warn: "5", bad: "1",
	append: "4", vote: "5", other: "1",
	terms: [TermColours]termColour{
		{"5", "5", "15"}, {"", "7", "0"}, {"4", "4", "15"}, {"", "2", "0"}, {"1", "1", "15"}, {"", "6", "0"},
	},
}
