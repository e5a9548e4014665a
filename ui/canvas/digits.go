package canvas

import (
	"capsize/ui/style"
)

// bigDigits are digits of three by five half cells. Half cells are about square, so the
// digits read from the back of a room.
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

// BigHeight is the height of big digits in rows.
const BigHeight = 3

// BigWidth returns the width of a number in big digits, in cells.
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

// HugeHeight is the height of huge digits in rows.
const HugeHeight = 5

// HugeWidth returns the width of a number in huge digits, in cells.
func HugeWidth(number string) int { return max(8*len(number)-2, 0) }

// PutHuge paints a number in big digits of twice the size: each half cell becomes two
// cells side by side, which are as square.
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
