package scenario

import (
	"slices"
	"testing"

	"capsize/cluster"
)

func TestNoNodeCanHaveTheNameOfASelector(t *testing.T) {
	for _, word := range selectorWords {
		if !slices.Contains(cluster.ReservedNames(), word) {
			t.Errorf("%q selects nodes, but is not a reserved name", word)
		}
	}
}
