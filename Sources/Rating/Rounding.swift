/// Half-up division: a tie goes away from zero, so that a charge and its refund are the same amount.
///
/// - Parameter divisor: greater than zero.
public func dividedHalfUp(_ dividend: Int128, by divisor: Int128) -> Int128 {
    precondition(divisor > 0)
    let (quotient, remainder) = dividend.quotientAndRemainder(dividingBy: divisor)
    guard remainder.magnitude * 2 >= divisor.magnitude else { return quotient }
    return dividend < 0 ? quotient - 1 : quotient + 1
}
