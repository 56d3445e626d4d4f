package import Model

package enum MediaSession {}

/// Chosen by the signal worker that opens the session.
package typealias MediaSessionID = ID<MediaSession>
