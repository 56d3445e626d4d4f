import Primitives
import Testing

@testable import Ledger

/// Values of another implementation: CPython's hash of the same 32 bytes, least significant first, with the keys of PYTHONHASHSEED 0 and 42.
@Test(arguments: [
    (0, 0, [0, 0, 0, 0], 0xB85B_ED26_1433_9B3D),
    (0, 0, [1, 2, 3, 4], 0xA463_CD1B_7FFE_86B0),
    (0, 0, [0x0123_4567_89AB_CDEF, 0xFEDC_BA98_7654_3210, 7, 123_456_789], 0xBB89_3773_269D_6255),
    (0xDC50_4FD3_68CD_90AF, 0xB920_BB9F_FE99_E9C1, [1, 2, 3, 4], 0x8F25_52AC_9BA7_DA66),
] as [(UInt64, UInt64, [UInt64], UInt64)])
func theKeyedHashIsSipHash(low: UInt64, high: UInt64, words: [UInt64], expected: UInt64) {
    #expect(KeyedHash(low: low, high: high)(UUIDv7(high: words[0], low: words[1]), words[2], words[3]) == expected)
}
