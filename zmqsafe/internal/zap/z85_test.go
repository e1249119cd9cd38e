package zap

import (
	"encoding/hex"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

type keyPair struct{ binary, text string }

// The keys of zmq_curve(7), which has them in both forms.
var (
	alice = newKeyPair("bb88471d65e2659b30c55a5321cebb5aab2b70a398645c26dca2b2fcb43fc518", "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID")
	bob   = newKeyPair("54fcba24e93249969316fb617c872bb0c1d1ff14800427c594cbfacf1bc2d652", "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7")
)

func newKeyPair(digits, text string) keyPair {
	binary, err := hex.DecodeString(digits)
	if err != nil {
		panic(err)
	}
	return keyPair{string(binary), text}
}

func TestZ85Key(t *testing.T) {
	assert.Equal(t, alice.text, z85Key(alice.binary))
	assert.Equal(t, bob.text, z85Key(bob.binary))
	assert.Equal(t, strings.Repeat("0", 40), z85Key(strings.Repeat("\x00", 32)))
	assert.Equal(t, strings.Repeat("%nSc0", 8), z85Key(strings.Repeat("\xff", 32)))
	for _, n := range []int{0, 4, 28, 31, 33, 36, 40} {
		assert.Empty(t, z85Key(strings.Repeat("k", n)), "%d bytes", n)
	}
}
