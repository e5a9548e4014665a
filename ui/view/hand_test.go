package view

import (
	"testing"

	"capsize/ui/uitest"
)

// heldPicture returns a picture of the hand view.
func heldPicture(w *uitest.Sample, width, height int) *picture {
	f := frameOf(w, width, height)
	f.view = f.Hand
	return f
}

func TestTry(t *testing.T) {
	for _, size := range [][2]int{{80, 24}, {120, 36}, {60, 18}} {
		t.Log("\n" + plain(heldPicture(uitest.Held(), size[0], size[1])))
		t.Log("\n" + plain(heldPicture(uitest.HeldMany(400), size[0], size[1])))
	}
}
