/// What people would say of a call, 1 to 4.5, by the E-model (ITU-T G.107) with all that a platform cannot know at its defaults:
///
///     R   = 93.2 − Id − Ie,eff
///     Id  = 0.024·d + 0.11·max(0, d − 177.3)             d: one way, in milliseconds
///     Ie,eff = Ie + (95 − Ie)·loss / (loss + Bpl)        loss in percent; Ie, Bpl: ITU-T G.113 appendix I
///     MOS = 1 + 0.035·R + R·(R − 60)·(100 − R)·7·10⁻⁶
///
/// It is the scale of telephones: a wide-band codec is not given more than one that is not.
package struct VoiceQuality: Sendable {
    /// 0 to 1.
    package var loss: Double
    /// From mouth to ear, without what the codec adds.
    package var delayMilliseconds: Double
    /// nil: one that is not known is taken for G.711.
    package var codec: Codec?

    package init(loss: Double, delayMilliseconds: Double, codec: Codec?) {
        self.loss = loss
        self.delayMilliseconds = delayMilliseconds
        self.codec = codec
    }

    /// Transmission rating, 0 to 93.2.
    package var rating: Double {
        let (impairment, robustness) = VoiceQuality.impairment(of: codec)
        let delay = delayMilliseconds + Double((codec?.frameMilliseconds ?? 20) + (codec?.delayMilliseconds ?? 0))
        let percent = max(0, min(loss, 1)) * 100
        let byDelay = 0.024 * delay + 0.11 * max(0, delay - 177.3)
        let byLoss = impairment + (95 - impairment) * percent / (percent + robustness)
        return max(0, min(93.2 - byDelay - byLoss, 93.2))
    }

    package var mos: Double {
        let rating = rating
        return max(1, min(1 + 0.035 * rating + rating * (rating - 60) * (100 - rating) * 7e-6, 4.5))
    }

    /// Ie and Bpl. G.711 and those beside it conceal what is lost as appendix I of G.711 does; for Speex and Opus nobody has published
    /// values, theirs are those of the codec that is most like them.
    private static func impairment(of codec: Codec?) -> (Double, Double) {
        switch codec {
        case .pcmu, .pcma, nil: (0, 25.1)
        case .g722: (0, 25.1)
        case .g726: (7, 25.1)
        case .gsm: (20, 10)
        case .g729: (11, 19)
        case .speex: (11, 19)
        case .speexWide: (5, 19)
        case .opus: (0, 19)
        }
    }
}
