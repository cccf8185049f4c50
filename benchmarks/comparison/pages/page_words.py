"""What made pages say. All names, numbers and places are invented."""

SHOPS = {
    False: (
        "KEDAI CONTOH SDN BHD",
        "SAMPLE STATIONERS LTD",
        "EXAMPLE GROCERS",
        "SPECIMEN HARDWARE CO",
        "DEMO BAKERY",
    ),
    True: (
        "云州蓝鲸样例超市",
        "星河示范文具店",
        "样例餐饮管理有限公司",
        "云州虚构五金商行",
        "示范药房连锁有限公司",
    ),
}
STREETS = {
    False: ("12 Example Road", "7 Sample Lane", "305 Specimen Street", "44 Placeholder Avenue"),
    True: ("云州市示范区试验路88号", "云州市虚构区鲸鱼大道6号", "云州市样例区星河街15号"),
}
GOODS = {
    False: (
        "PAPER A4 80G", "INK CARTRIDGE BLK", "STAPLER NO 10", "NASI LEMAK AYAM", "TEH TARIK", "WHOLEMEAL BREAD",
        "ORANGE JUICE 1L", "BATTERY AA 4PK", "HEX BOLT M8X40", "LED BULB 9W", "HAND SOAP 500ML", "NOTEBOOK RULED",
        "CABLE TIE 200MM", "OLIVE OIL 750ML", "BROWN RICE 5KG", "MASKING TAPE 24MM",
    ),
    True: (
        "A4复印纸80克", "黑色中性笔", "订书机十号", "红烧牛肉面", "桂花乌龙茶", "全麦吐司面包", "鲜橙汁一升",
        "五号电池四节", "六角螺栓", "节能灯泡九瓦", "洗手液五百毫升", "横线笔记本",
        "尼龙扎带", "橄榄油", "东北大米五公斤", "美纹胶带",
    ),
}  # fmt: skip
PEOPLE = {
    False: ("Jane Example", "Peter Sample", "Maria Specimen", "Ahmad Contoh", "Li Yangli"),
    True: ("林知远", "何雨桐", "苏明哲", "陈样例", "赵示范"),
}
SENTENCES = {
    False: (
        "Thank you for your letter of {date}, which reached our office on the following Monday.",
        "We confirm that order {number} was shipped in {count} boxes and should arrive within ten working days.",
        "Please note that the price per unit has changed to {money} since the last quotation.",
        "The warehouse counted {count} items and found two of them damaged, as the enclosed list shows.",
        "Should any part of the delivery be missing, write to us before {date} and quote the number {number}.",
        "Payment of {money} is due thirty days after the invoice date; a discount of 2% applies before {date}.",
        "Our technician will visit the site, measure the rooms and send a report with drawings.",
        "The contract renews each year unless either party gives notice three months in advance.",
        "Attached are copies of the certificates, the customs form and the insurance policy {number}.",
        "Mr {person} has taken over the account and can be reached every day between nine and five.",
    ),
    True: (
        "贵公司于{date}来函收悉，我方已安排专人跟进处理。",
        "订单{number}共计{count}箱货物已于昨日发运，预计十个工作日内送达。",
        "自上次报价以来，该产品单价已调整为{money}，请予以知悉。",
        "经仓库清点，到货共{count}件，其中两件外包装破损，详见附件清单。",
        "如有短缺，请于{date}之前书面通知我方，并注明编号{number}。",
        "货款{money}应于开票之日起三十日内付清，逾期按合同约定处理。",
        "我方技术人员将到现场测量并提交书面报告及施工图纸。",
        "合同期满前三个月内双方均未提出异议的，本合同自动续期一年。",
        "随函附上质量证明、报关单据以及保险单{number}的复印件各一份。",
        "此项业务现由{person}负责，工作时间内均可联系。",
    ),
}
LABELS = {
    False: {
        "receipt": "RECEIPT NO", "date": "DATE", "cashier": "CASHIER", "subtotal": "SUBTOTAL", "tax": "TAX 6%",
        "total": "TOTAL", "cash": "CASH", "change": "CHANGE", "thanks": "THANK YOU, PLEASE COME AGAIN",
        "invoice": "INVOICE", "number": "Invoice no", "to": "Bill to", "from": "From", "account": "Account",
        "head": "No|Description|Qty|Price|Amount", "terms": "Goods remain our property until they are paid in full.",
        "dear": "Dear {person},", "re": "Subject: order {number}", "yours": "Yours sincerely,",
    },
    True: {
        "receipt": "单据号", "date": "日期", "cashier": "收银员", "subtotal": "小计", "tax": "税额",
        "total": "合计", "cash": "现金", "change": "找零", "thanks": "谢谢惠顾 欢迎再次光临",
        "invoice": "销售结算单", "number": "单据编号", "to": "购买方", "from": "销售方", "account": "银行账号",
        "head": "序号|货物名称|数量|单价|金额", "terms": "货款付清之前，货物所有权仍归销售方所有。",
        "dear": "尊敬的{person}：", "re": "事由：关于订单{number}的说明", "yours": "此致敬礼",
    },
}  # fmt: skip
