package ui

import (
	"errors"
	"strconv"
	"strings"

	"capsize/cluster/vtime"
)

// ParseSpeed reads a speed as the command line has it: a factor, a fraction, or max.
func ParseSpeed(s string) (float64, error) {
	if s == "max" {
		return vtime.Max, nil
	}
	numerator, denominator, isFraction := strings.Cut(s, "/")
	speed, err := strconv.ParseFloat(numerator, 64)
	if err == nil && isFraction {
		var divisor float64
		divisor, err = strconv.ParseFloat(denominator, 64)
		speed /= divisor
	}
	if err != nil || !(speed >= 0 && speed <= 10_000) || (speed > 0 && speed < 1e-4) {
		return 0, errors.New("it must be 0, a factor from 0.0001 to 10000, a fraction like 1/10, or max")
	}
	return speed, nil
}
