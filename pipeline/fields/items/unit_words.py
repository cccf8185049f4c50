"""The units of quantities, as they are printed."""

from __future__ import annotations

_UNITS = """
    stk st stck stück stueck stück(e) stuck pcs pc pce pces piece pieces ea each unit units set sets
    pair pairs pr box boxes bx pack packs pkt pk ctn carton cartons case btl bottle bottles can cans bag
    bags roll rolls rl sheet sheets dozen doz dz lot ls pauschal psch pauschale kg g gr gm mg t to lb
    lbs oz l ltr lt ml cl hl m cm mm km lfm m2 m² m3 m³ qm cbm sqm sqft ft kwh mwh h hr hrs hour hours
    std std. stunde stunden min minuten d day days tag tage tag(e) woche wochen week weeks monat monate
    month months mon mth jahr jahre year years pièce pièces heure heures jour jours mois forfait lots ud
    uds und unidad unidades hora horas día días pz pezzo pezzi nr ora ore stuks uur dag dagen peça peças
    个 件 台 套 只 支 把 张 本 盒 箱 瓶 包 袋 条 双 对 块 片 份 次 天 月 年 小时 千克 公斤 克 吨 升 毫升 米
    平方米 立方米 度 批 项 辆 人 间 晚 桶 根 卷 组 副 枚 粒 支/盒 片/盒 日 时 千瓦时 公里
"""
UNITS = frozenset(_UNITS.split())


def is_unit(text: str) -> bool:
    """Whether a word is the name of a unit."""
    word = text.lower().lstrip("/").rstrip(".,:;")
    return word in UNITS or text.lower() in UNITS
