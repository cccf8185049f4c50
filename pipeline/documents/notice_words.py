"""What viewers and protection programs print in place of a document, in the languages of common ones."""

from __future__ import annotations

import re

PROTECTED = re.compile(
    r"this (pdf )?(file|document) (is|has been) protected|protected pdf (file|document)"
    r"|aka\.ms/protectedpdf|microsoft ?irm ?services|fileopen (plug-?in|client)"
    r"|this (pdf )?(file|document) is (encrypted|protected|secured) by"
    r"|dies(es|e) (pdf-?)?(dokument|datei) (ist|wurde) (durch .{1,60} )?gesch(ü|u\u0308)tzt"
    r"|ce (fichier|document)( pdf)? est prot(é|e\u0301)g(é|e\u0301)"
    r"|este (archivo|documento)( pdf)? est(á|a\u0301) protegido"
    r"|este (arquivo|documento)( pdf)? est(á|a\u0301) protegido"
    r"|questo (file|documento)( pdf)? (è|e\u0300) protetto"
    r"|此 ?(pdf ?)?(文件|文档) ?(受保护|已加密|已受保护)|此 ?(pdf ?)?(檔案|文件) ?(受到?保護|已加密)"
    r"|この ?(pdf ?)?(ファイル|文書|ドキュメント) ?は(、)?保護されて",
    re.I,
)
UNSHOWN = re.compile(
    r"if this message is not eventually replaced by the proper contents"
    r"|you need a later version of the pdf viewer"
    r"|your (pdf )?viewer (may|might) not be able to display this type of document"
    r"|wenn diese meldung nicht .{0,40}inhalt.{0,40} ersetzt"
    r"|si ce message n'est pas remplac(é|e\u0301) .{0,40}contenu"
    r"|si este mensaje no se reemplaza .{0,40}contenido|se esta mensagem n(ã|a\u0303)o for .{0,20}substitu(í|i\u0301)da"
    r"|se (questo|il presente) messaggio non viene sostituito"
    r"|als dit bericht niet .{0,40}vervangen"
    r"|如果[本此]?(消息|信息).{0,12}未被.{0,16}替[代换]|如果(此|這個)?(訊息|消息).{0,12}未?.{0,16}(取代|替換)"
    r"|この ?メッセージが.{0,24}置き換わらない",
    re.I,
)
