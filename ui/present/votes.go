package present

import (
	"fmt"
	"strconv"
	"strings"

	"capsize/cluster/trace"
)

// ParseVotes reads a show of hands, such as "1:12 2:30": how many people have picked each of the
// choices. The error says what to write.
func ParseVotes(text string, choices int) ([]int, error) {
	votes := make([]int, choices)
	counted := map[int]bool{}
	for _, word := range strings.Fields(text) {
		which, count, ok := strings.Cut(word, ":")
		choice, wrong := strconv.Atoi(which)
		n, wrongCount := strconv.Atoi(count)
		switch {
		case !ok || wrong != nil || wrongCount != nil || n < 0:
			return nil, fmt.Errorf("%s: write CHOICE:VOTES, like 1:12 2:30", trace.Sanitize(word))
		case choice < 1 || choice > choices:
			return nil, fmt.Errorf("%s: the choices are 1 to %d", trace.Sanitize(word), choices)
		case n > trace.PickedMax:
			return nil, fmt.Errorf("%s: at most %d votes", trace.Sanitize(word), trace.PickedMax)
		case counted[choice]:
			return nil, fmt.Errorf("%s: choice %d is counted twice", trace.Sanitize(word), choice)
		}
		votes[choice-1], counted[choice] = n, true
	}
	return votes, nil
}
