/* The built-in sentences of notifications (templates.h), by type and language: for one actor, two, and more. {1} and
 * {2} are their names, {n} is how many others there are. WORDS(TYPE, language, one, two, more) */
WORDS(LIKE, ENGLISH, "{1} likes your note", "{1} and {2} like your note", "{1}, {2} and {n} more like your note")
WORDS(LIKE, GERMAN, "{1} gefällt deine Notiz", "{1} und {2} gefällt deine Notiz",
      "{1}, {2} und {n} anderen gefällt deine Notiz")
WORDS(RENOTE, ENGLISH, "{1} renoted your note", "{1} and {2} renoted your note",
      "{1}, {2} and {n} more renoted your note")
WORDS(RENOTE, GERMAN, "{1} hat deine Notiz geteilt", "{1} und {2} haben deine Notiz geteilt",
      "{1}, {2} und {n} andere haben deine Notiz geteilt")
WORDS(COMMENT, ENGLISH, "{1} commented on your note", "{1} and {2} commented on your note",
      "{1}, {2} and {n} more commented on your note")
WORDS(COMMENT, GERMAN, "{1} hat deine Notiz kommentiert", "{1} und {2} haben deine Notiz kommentiert",
      "{1}, {2} und {n} andere haben deine Notiz kommentiert")
WORDS(MENTION, ENGLISH, "{1} mentioned you", "{1} and {2} mentioned you", "{1}, {2} and {n} more mentioned you")
WORDS(MENTION, GERMAN, "{1} hat dich erwähnt", "{1} und {2} haben dich erwähnt",
      "{1}, {2} und {n} andere haben dich erwähnt")
WORDS(FOLLOW, ENGLISH, "{1} follows you", "{1} and {2} follow you", "{1}, {2} and {n} more follow you")
WORDS(FOLLOW, GERMAN, "{1} folgt dir", "{1} und {2} folgen dir", "{1}, {2} und {n} andere folgen dir")
WORDS(FOLLOW_REQUEST, ENGLISH, "{1} asks to follow you", "{1} and {2} ask to follow you",
      "{1}, {2} and {n} more ask to follow you")
WORDS(FOLLOW_REQUEST, GERMAN, "{1} möchte dir folgen", "{1} und {2} möchten dir folgen",
      "{1}, {2} und {n} andere möchten dir folgen")
WORDS(NEW_NOTE, ENGLISH, "{1} wrote a new note", "{1} and {2} wrote a new note",
      "{1}, {2} and {n} more wrote a new note")
WORDS(NEW_NOTE, GERMAN, "{1} hat eine neue Notiz geschrieben", "{1} und {2} haben eine neue Notiz geschrieben",
      "{1}, {2} und {n} andere haben eine neue Notiz geschrieben")
WORDS(SAVED_SEARCH, ENGLISH, "{1} posted a match for your saved search",
      "{1} and {2} posted matches for your saved search", "{1}, {2} and {n} more posted matches for your saved search")
WORDS(SAVED_SEARCH, GERMAN, "{1} hat geschrieben, wonach du suchst", "{1} und {2} haben geschrieben, wonach du suchst",
      "{1}, {2} und {n} andere haben geschrieben, wonach du suchst")
WORDS(MESSAGE, ENGLISH, "{1} wrote to you", "{1} and {2} wrote to you", "{1}, {2} and {n} more wrote to you")
WORDS(MESSAGE, GERMAN, "{1} hat dir geschrieben", "{1} und {2} haben dir geschrieben",
      "{1}, {2} und {n} andere haben dir geschrieben")
WORDS(MESSAGE_REQUEST, ENGLISH, "{1} wants to write to you", "{1} and {2} want to write to you",
      "{1}, {2} and {n} more want to write to you")
WORDS(MESSAGE_REQUEST, GERMAN, "{1} möchte dir schreiben", "{1} und {2} möchten dir schreiben",
      "{1}, {2} und {n} andere möchten dir schreiben")
/* For types of the recipient's own account, which have no other actors. */
OWN_WORDS(NEW_DEVICE, ENGLISH, "Somebody logged in to your account on a new device")
OWN_WORDS(NEW_DEVICE, GERMAN, "Jemand hat sich auf einem neuen Gerät bei deinem Konto angemeldet")
OWN_WORDS(PASSWORD_CHANGED, ENGLISH, "Your password was changed")
OWN_WORDS(PASSWORD_CHANGED, GERMAN, "Dein Passwort wurde geändert")
OWN_WORDS(EMAIL_CHANGE_ASKED, ENGLISH, "Somebody asked to change the e-mail address of your account")
OWN_WORDS(EMAIL_CHANGE_ASKED, GERMAN, "Für dein Konto wurde eine andere E-Mail-Adresse angegeben")
OWN_WORDS(EMAIL_CHANGED, ENGLISH, "Your e-mail address was changed")
OWN_WORDS(EMAIL_CHANGED, GERMAN, "Deine E-Mail-Adresse wurde geändert")
OWN_WORDS(FACTOR_ADDED, ENGLISH, "A second factor was added to your account")
OWN_WORDS(FACTOR_ADDED, GERMAN, "Dein Konto hat einen weiteren zweiten Faktor")
OWN_WORDS(FACTOR_REMOVED, ENGLISH, "A second factor of your account was removed")
OWN_WORDS(FACTOR_REMOVED, GERMAN, "Ein zweiter Faktor deines Kontos wurde entfernt")
OWN_WORDS(RECOVERY_CODES_MADE, ENGLISH, "New recovery codes were made for your account")
OWN_WORDS(RECOVERY_CODES_MADE, GERMAN, "Für dein Konto wurden neue Wiederherstellungscodes erzeugt")
OWN_WORDS(RECOVERY_CODE_USED, ENGLISH, "A recovery code of your account was used")
OWN_WORDS(RECOVERY_CODE_USED, GERMAN, "Ein Wiederherstellungscode deines Kontos wurde benutzt")
OWN_WORDS(REFRESH_TOKEN_REUSED, ENGLISH, "A session of your account was ended, because its token was used twice")
OWN_WORDS(REFRESH_TOKEN_REUSED, GERMAN,
          "Eine Sitzung deines Kontos wurde beendet, weil ihr Token zweimal benutzt wurde")
OWN_WORDS(PASSKEY_CLONED, ENGLISH, "A passkey of your account seems to have been copied")
OWN_WORDS(PASSKEY_CLONED, GERMAN, "Ein Passkey deines Kontos wurde offenbar kopiert")
OWN_WORDS(MAIL_BOUNCED, ENGLISH, "Mail to your e-mail address is returned, so notifications are no longer mailed to it")
OWN_WORDS(MAIL_BOUNCED, GERMAN,
          "Mails an deine E-Mail-Adresse kommen zurück: Benachrichtigungen gehen nicht mehr dorthin")
OWN_WORDS(REPORT_RESOLVED, ENGLISH, "Your report has been resolved")
OWN_WORDS(REPORT_RESOLVED, GERMAN, "Deine Meldung wurde bearbeitet")
