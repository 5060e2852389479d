"""Reports without a part for machines, as large providers write them in the language of the account."""

LANGUAGES: dict[str, tuple[str, str]] = {
    "de-gmx": (
        "Mail delivery failed: returning message to sender",
        "Diese E-Mail wurde automatisch vom Mail-System erstellt.\n\nEine Nachricht, die Sie gesendet haben, "
        "konnte nicht an einen oder mehrere Empfänger ausgeliefert werden.\n\n  c100001@example.com\n"
        "    Empfänger unbekannt\n",
    ),
    "de-exchange": (
        "Unzustellbar: Ihr Kontoauszug",
        "Fehler bei der Nachrichtenzustellung an folgende Empfänger oder Gruppen:\n\nc100001@example.com\n"
        "Die eingegebene E-Mail-Adresse konnte nicht gefunden werden.\n",
    ),
    "es-gmail": (
        "Delivery Status Notification (Failure)",
        "No se ha encontrado la dirección\n\nTu mensaje no se ha entregado a c100001@example.com porque no se "
        "encuentra la dirección.\n",
    ),
    "es-exchange": (
        "No se puede entregar: su documento",
        "Error de entrega a estos destinatarios o grupos:\n\nc100001@example.com\nEl buzón está lleno.\n",
    ),
    "fr-orange": (
        "Échec de la remise de votre message",
        "Bonjour,\n\nVotre message n'a pas pu être remis au destinataire suivant :\n\nc100001@example.com\n"
        "Motif : utilisateur inconnu\n",
    ),
    "fr-exchange": (
        "Non remis : Votre document",
        "Échec de la remise à ces destinataires ou groupes :\n\nc100001@example.com\nLa boîte aux lettres est "
        "pleine.\n",
    ),
    "pt": (
        "Não é possível entregar: o seu documento",
        "A entrega falhou para estes destinatários ou grupos:\n\nc100001@example.com\nO endereço não existe.\n",
    ),
    "pt-br": (
        "Falha na entrega da mensagem",
        "Sua mensagem não foi entregue a c100001@example.com porque o endereço não foi encontrado.\n",
    ),
    "it": (
        "Non recapitabile: il suo documento",
        "Recapito non riuscito per i seguenti destinatari o gruppi:\n\nc100001@example.com\n"
        "L'indirizzo di posta non esiste.\n",
    ),
    "nl": (
        "Onbestelbaar: uw document",
        "Bezorging aan deze geadresseerden of groepen is mislukt:\n\nc100001@example.com\n"
        "Het e-mailadres is niet gevonden.\n",
    ),
    "sv": (
        "Kan inte levereras: ert dokument",
        "Leveransen till följande mottagare eller grupper misslyckades:\n\nc100001@example.com\n"
        "E-postadressen hittades inte.\n",
    ),
    "da": (
        "Kan ikke leveres: Deres dokument",
        "Levering mislykkedes til følgende modtagere eller grupper:\n\nc100001@example.com\n"
        "Mailadressen blev ikke fundet.\n",
    ),
    "no": (
        "Kan ikke leveres: dokumentet",
        "Levering til disse mottakerne eller gruppene mislyktes:\n\nc100001@example.com\n"
        "Fant ikke e-postadressen.\n",
    ),
    "fi": (
        "Toimittaminen epäonnistui: asiakirja",
        "Viestiä ei voitu toimittaa seuraaville vastaanottajille:\n\nc100001@example.com\nOsoitetta ei löydy.\n",
    ),
    "ru-mail": (
        "Ваше сообщение не доставлено",
        "Это письмо создано автоматически сервером, отвечать на него не нужно.\n\nК сожалению, Ваше письмо не "
        "может быть доставлено одному или нескольким получателям:\n\n  c100001@example.com\n"
        "    Пользователь не найден\n",
    ),
    "cs-seznam": (
        "Nedoručitelná zpráva",
        "Vaši zprávu se nepodařilo doručit příjemci:\n\nc100001@example.com\nUživatel neexistuje.\n",
    ),
    "pl": (
        "Nie można dostarczyć: dokument",
        "Dostarczenie do następujących adresatów lub grup nie powiodło się:\n\nc100001@example.com\n"
        "Nie znaleziono adresu e-mail.\n",
    ),
    "tr": (
        "Teslim Edilemedi: belgeniz",
        "Şu alıcılara veya gruplara teslim başarısız oldu:\n\nc100001@example.com\nAdres bulunamadı.\n",
    ),
    "ja-mobile": (
        "メールエラー通知",
        "次の宛先へのメッセージはエラーのため送信できませんでした。\n\nc100001@example.com\n宛先不明\n",
    ),
    "ja-exchange": (
        "配信不能: 明細書",
        "次の受信者またはグループへの配信に失敗しました:\n\nc100001@example.com\nメールボックスがいっぱいです。\n",
    ),
    "ko-naver": (
        "메일 전송 실패 안내",
        "c100001@example.com 님에게 보낸 메일이 전송되지 못했습니다.\n\n실패 이유 : 존재하지 않는 이메일 계정\n",
    ),
    "ko-exchange": (
        "배달되지 않음: 명세서",
        "다음 받는 사람이나 그룹에게 배달하지 못했습니다.\n\nc100001@example.com\n사서함이 꽉 찼습니다.\n",
    ),
    "zh-cn-qq": (
        "系统退信",
        "抱歉，您的邮件被退回来了……\n\n收件人：c100001@example.com\n退信原因：收件人邮件地址不存在，邮件无法送达。\n",
    ),
    "zh-cn-exchange": (
        "无法传递: 您的对账单",
        "未能向以下收件人或组传递邮件:\n\nc100001@example.com\n找不到你输入的电子邮件地址。\n",
    ),
    "zh-tw": (
        "無法傳遞: 您的帳單",
        "傳遞給這些收件者或群組時失敗:\n\nc100001@example.com\n收件者的信箱已滿。\n",
    ),
}
"""Name, subject and text; the failed address is always c100001@example.com."""

DELAYS: dict[str, tuple[str, str]] = {
    "de": ("Verzögert: Ihr Dokument", "Die Zustellung verzögert sich noch. Es wird weiter versucht.\n"),
    "fr": (
        "Retardé : votre document",
        "La remise de votre message est retardée. Nouvelle tentative en cours.\n",
    ),
    "es": (
        "Retrasado: su documento",
        "La entrega se ha retrasado. El servidor seguirá intentando la entrega.\n",
    ),
    "ja": ("配信遅延のお知らせ", "次の宛先への配信が遅延しています。再送信を試みます。\n"),
    "zh": ("投递延迟通知", "您的邮件投递延迟，系统将继续尝试。\n"),
}
