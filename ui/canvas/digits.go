package canvas

import (
	"capsize/ui/style"
)

// BigHeight is how many rows big digits take.
const BigHeight = 3

// bigDigits are digits three cells wide and five half cells high: about square
// dots, so that they read from the back of a room.
var bigDigits = map[byte][BigHeight]string{
	'0': {"█▀█", "█ █", "▀▀▀"},
	'1': {"▀█ ", " █ ", "▀▀▀"},
	'2': {"▀▀█", "█▀▀", "▀▀▀"},
	'3': {"▀▀█", " ▀█", "▀▀▀"},
	'4': {"█ █", "▀▀█", "  ▀"},
	'5': {"█▀▀", "▀▀█", "▀▀▀"},
	'6': {"█▀▀", "█▀█", "▀▀▀"},
	'7': {"▀▀█", "  █", "  ▀"},
	'8': {"█▀█", "█▀█", "▀▀▀"},
	'9': {"█▀█", "▀▀█", "▀▀▀"},
	'-': {"   ", "▀▀▀", "   "},
}

// HugeHeight is how many rows big digits take at twice their size.
const HugeHeight = 5

// HugeWidth returns how many cells a number takes at twice the size.
func HugeWidth(number string) int { return max(8*len(number)-2, 0) }

// PutHuge paints a number in big digits at twice their size: each half cell
// becomes two cells side by side, which is as square.
func (c *Canvas) PutHuge(x, y int, number string, st style.Style) {
	for i := range len(number) {
		for row := range HugeHeight {
			col := 0
			for _, r := range bigDigits[number[i]][row/2] {
				if r == '█' || r == '▀' && row%2 == 0 {
					c.Set(x+8*i+2*col, y+row, "█", st)
					c.Set(x+8*i+2*col+1, y+row, "█", st)
				}
				col++
			}
		}
	}
}

// BigWidth returns how many cells a number takes in big digits.
func BigWidth(number string) int { return max(4*len(number)-1, 0) }

// PutBig paints a number in big digits.
func (c *Canvas) PutBig(x, y int, number string, st style.Style) {
	for i := range len(number) {
		for row, bits := range bigDigits[number[i]] {
			col := 0
			for _, r := range bits {
				if r != ' ' {
					c.Set(x+4*i+col, y+row, string(r), st)
				}
				col++
			}
		}
	}
}
