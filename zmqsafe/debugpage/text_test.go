package debugpage

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestShort(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0s", 400 * time.Microsecond: "0s", 12 * time.Millisecond: "12ms", 3456 * time.Millisecond: "3.4s", 4*time.Minute + 12*time.Second: "4m12s",
		5*time.Hour + 10*time.Minute + time.Second: "5h10m", 76 * time.Hour: "3d4h", -time.Second: "-1s",
	} {
		assert.Equal(t, want, short(d))
	}
}

func TestNumber(t *testing.T) {
	for n, want := range map[uint64]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", 18446744073709551615: "18,446,744,073,709,551,615"} {
		assert.Equal(t, want, number(n))
	}
}
